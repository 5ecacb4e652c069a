//! How answers are shown: text for people, JSON for machines. Nothing depends on these modules but the command line.

pub mod aligned;
pub mod json;
pub mod matrix_html;
pub mod matrix_long;
pub mod matrix_statement;
pub mod matrix_table;
pub mod rules;
pub mod text;
pub mod visible;
pub mod who_can;
pub mod words;
