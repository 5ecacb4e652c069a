//! Objects as kubectl prints them: sorted keys, list items at the column of their key, long text folded.

use serde_json::Value;

/// Appends an object as a YAML document, without the line that separates documents.
pub(crate) fn yaml(value: &Value, out: &mut String) {
    block(value, 0, false, out);
}

/// Appends an object as an item of a list that stands at the left margin.
pub(crate) fn yaml_item(value: &Value, out: &mut String) {
    out.push_str("- ");
    block(value, 2, true, out);
}

/// A collection at an indentation; `inline` where its first line is already begun.
fn block(value: &Value, indent: usize, mut inline: bool, out: &mut String) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                begin(indent, &mut inline, out);
                scalar(key, indent, out);
                out.push(':');
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        out.push('\n');
                        block(value, indent + 2, false, out);
                    }
                    Value::Array(inner) if !inner.is_empty() => {
                        out.push('\n');
                        block(value, indent, false, out);
                    }
                    _ => leaf(value, indent, out),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                begin(indent, &mut inline, out);
                out.push('-');
                match item {
                    Value::Object(inner) if !inner.is_empty() => {
                        out.push(' ');
                        block(item, indent + 2, true, out);
                    }
                    _ => leaf(item, indent, out),
                }
            }
        }
        _ => leaf(value, indent, out),
    }
}

fn begin(indent: usize, inline: &mut bool, out: &mut String) {
    if !std::mem::take(inline) {
        spaces(indent, out);
    }
}

fn spaces(count: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', count));
}

fn leaf(value: &Value, indent: usize, out: &mut String) {
    out.push(' ');
    match value {
        Value::String(text) if text.contains('\n') => {
            out.push_str(if text.ends_with('\n') { "|" } else { "|-" });
            for line in text.lines() {
                out.push('\n');
                if !line.is_empty() {
                    spaces(indent + 2, out);
                    out.push_str(line);
                }
            }
        }
        Value::String(text) => scalar(text, indent, out),
        other => out.push_str(&other.to_string()),
    }
    out.push('\n');
}

fn scalar(text: &str, indent: usize, out: &mut String) {
    if looks_like_something_else(text) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else if needs_quotes(text) {
        out.push('\'');
        folded(&text.replace('\'', "''"), indent, out);
        out.push('\'');
    } else {
        folded(text, indent, out);
    }
}

/// Breaks the line at the first space after column 80, as go-yaml does.
fn folded(text: &str, indent: usize, out: &mut String) {
    let mut column = out.len() - out.rfind('\n').map_or(0, |feed| feed + 1);
    for (word, position) in text.split(' ').zip(0..) {
        if position > 0 {
            if column > 80 && !word.is_empty() {
                out.push('\n');
                spaces(indent + 2, out);
                column = indent + 2;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += word.len();
    }
}

fn looks_like_something_else(text: &str) -> bool {
    let first = text.as_bytes().first();
    text.is_empty()
        || matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n" | "~")
        || (first.is_some_and(u8::is_ascii_digit)
            && text.bytes().all(|byte| byte.is_ascii_digit() || b".:-TZe_x".contains(&byte)))
}

fn needs_quotes(text: &str) -> bool {
    text.starts_with(|first: char| "*&!|>'\"%@`{}[],#?-: ".contains(first))
        || text.contains(": ")
        || text.contains(" #")
        || text.ends_with([':', ' '])
}
