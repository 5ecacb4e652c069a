//! How answers are shown: text for people, JSON for machines. Nothing depends on these modules but the command line.

pub mod json;
pub mod rules;
pub mod text;
pub mod who_can;
pub mod words;
