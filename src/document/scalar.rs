//! What a plain scalar means to kubectl: YAML 1.1 as go-yaml v2 resolves it.
//!
//! Follows `resolve` of `go.yaml.in/yaml/v2`, which `sigs.k8s.io/yaml` uses. JSON's own numbers and
//! literals resolve to the same types, so that JSON trees need no resolver of their own.

use std::borrow::Cow;

use super::ScalarType;

/// The type of a plain (unquoted) scalar.
///
/// Dates and times such as `2026-01-01` and `12:30:45` are text: go-yaml hands them on as they are written.
pub fn resolve(text: &str) -> ScalarType {
    let Some(first) = text.as_bytes().first() else { return ScalarType::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' => number(text),
        b'.' => point(text),
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => word(text),
        _ => ScalarType::Text,
    }
}

/// The value of a scalar that resolves to [`ScalarType::Bool`]; `None` for any other.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn word(text: &str) -> ScalarType {
    if text.len() > 5 {
        return ScalarType::Text;
    }
    match text {
        "~" | "null" | "Null" | "NULL" => ScalarType::Null,
        _ if boolean(text).is_some() => ScalarType::Bool,
        _ => ScalarType::Text,
    }
}

/// Whether the text is one of the words for not-a-number and infinity, which JSON cannot hold.
pub(super) fn is_not_finite(text: &str) -> bool {
    matches!(
        text,
        ".nan"
            | ".NaN"
            | ".NAN"
            | ".inf"
            | ".Inf"
            | ".INF"
            | "+.inf"
            | "+.Inf"
            | "+.INF"
            | "-.inf"
            | "-.Inf"
            | "-.INF"
    )
}

/// A scalar that starts with a point: `strconv.ParseFloat`, which allows `_` between digits only.
fn point(text: &str) -> ScalarType {
    if is_not_finite(text) {
        return ScalarType::Float;
    }
    let bytes = text.as_bytes();
    let digit = |index: Option<usize>| index.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'_' && !(digit(at.checked_sub(1)) && digit(Some(at + 1))) {
            return ScalarType::Text;
        }
    }
    if is_decimal(&without_underscores(text)) { ScalarType::Float } else { ScalarType::Text }
}

fn number(text: &str) -> ScalarType {
    if is_not_finite(text) {
        return ScalarType::Float;
    }
    if is_date(text) {
        return ScalarType::Text;
    }
    let plain = without_underscores(text);
    if integer(&plain).is_some() {
        return ScalarType::Int;
    }
    if is_decimal(&plain) { ScalarType::Float } else { ScalarType::Text }
}

/// Four digits and a dash open a date; `1_000-` cannot, so this is looked at before anything else. A text that
/// opens so is no number either, whatever follows.
fn is_date(text: &str) -> bool {
    matches!(text.as_bytes(), [a, b, c, d, b'-', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()))
}

fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) }
}

/// `strconv.ParseInt` and then `ParseUint`, both with base 0: `0x`, `0o`, `0b` and a leading `0` for octal.
fn integer(plain: &str) -> Option<i128> {
    let (negative, signed, digits) = match plain.as_bytes().first() {
        Some(b'-') => (true, true, plain.get(1..)?),
        Some(b'+') => (false, true, plain.get(1..)?),
        _ => (false, false, plain),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    // `from_str_radix` would take a second sign.
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let value = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if negative { -value } else { value };
    let fits = if signed { i64::try_from(value).is_ok() } else { true };
    fits.then_some(value)
}

/// go-yaml's pattern for floats, and what `strconv.ParseFloat` can hold.
fn is_decimal(plain: &str) -> bool {
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(plain);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at).unwrap_or(""), unsigned.get(at + 1..)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) {
        return false;
    }
    if whole.is_empty() && fraction.is_none_or(str::is_empty) {
        return false;
    }
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return false;
        }
    }
    plain.parse::<f64>().is_ok_and(f64::is_finite)
}

/// What a plain mapping key becomes when `sigs.k8s.io/yaml` turns YAML into JSON, whose keys are text:
/// `yes` becomes `true`, `0x10` becomes `16`. `None` for what cannot be a key: null, and whole numbers
/// beyond 64 bits with a sign.
pub(super) fn key_text(text: &str) -> Option<Cow<'_, str>> {
    match resolve(text) {
        ScalarType::Text => Some(Cow::Borrowed(text)),
        ScalarType::Null => None,
        ScalarType::Bool => Some(Cow::Borrowed(if boolean(text)? { "true" } else { "false" })),
        ScalarType::Int => {
            let value = i64::try_from(integer(&without_underscores(text))?).ok()?;
            let written = value.to_string();
            Some(if written == text { Cow::Borrowed(text) } else { Cow::Owned(written) })
        }
        ScalarType::Float => Some(Cow::Owned(float_key(text))),
    }
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`, with go-yaml's words for what is not finite.
fn float_key(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        ".nan" => return ".nan".into(),
        ".inf" | "+.inf" => return ".inf".into(),
        "-.inf" => return "-.inf".into(),
        _ => {}
    }
    #[expect(clippy::cast_possible_truncation, reason = "upstream formats keys with 32 bits")]
    let value = without_underscores(text).parse::<f64>().unwrap_or(0.0) as f32;
    if value.is_infinite() {
        return if value > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent = exponent.parse::<i32>().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows follow `resolve` of go-yaml v2; those without an obvious reason say what they show.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a row per fact")]
    fn types_of_plain_scalars() {
        use ScalarType::{Bool, Float, Int, Null, Text};
        let rows: &[(&str, ScalarType, &str)] = &[
            ("", Null, "nothing_is_null"),
            ("~", Null, "tilde"),
            ("null", Null, "null"),
            ("Null", Null, "null_capital"),
            ("NULL", Null, "null_upper"),
            ("nULL", Text, "null_mixed_case_is_text"),
            ("nullable", Text, "longer_than_null"),
            ("y", Bool, "y"),
            ("Y", Bool, "y_upper"),
            ("yes", Bool, "yes"),
            ("Yes", Bool, "yes_capital"),
            ("YES", Bool, "yes_upper"),
            ("yEs", Text, "yes_mixed_case_is_text"),
            ("n", Bool, "n"),
            ("N", Bool, "n_upper"),
            ("no", Bool, "no"),
            ("No", Bool, "no_capital"),
            ("NO", Bool, "no_upper"),
            ("on", Bool, "on"),
            ("On", Bool, "on_capital"),
            ("ON", Bool, "on_upper"),
            ("off", Bool, "off"),
            ("Off", Bool, "off_capital"),
            ("OFF", Bool, "off_upper"),
            ("true", Bool, "true"),
            ("True", Bool, "true_capital"),
            ("TRUE", Bool, "true_upper"),
            ("tRUE", Text, "true_mixed_case_is_text"),
            ("false", Bool, "false"),
            ("False", Bool, "false_capital"),
            ("FALSE", Bool, "false_upper"),
            ("t", Text, "t_is_text"),
            ("f", Text, "f_is_text"),
            ("0", Int, "zero"),
            ("-0", Int, "minus_zero"),
            ("+12", Int, "plus_sign"),
            ("-12", Int, "minus_sign"),
            ("-", Text, "sign_alone"),
            ("+-1", Text, "two_signs"),
            ("010", Int, "leading_zero_is_octal"),
            ("08", Float, "not_octal_so_a_float"),
            ("09.5", Float, "leading_zero_fraction"),
            ("0x1F", Int, "hexadecimal"),
            ("0X1f", Int, "hexadecimal_upper_prefix"),
            ("-0x1F", Int, "hexadecimal_minus"),
            ("0x", Text, "prefix_alone"),
            ("0xZZ", Text, "not_hexadecimal"),
            ("0o17", Int, "octal_prefix"),
            ("0o18", Text, "not_octal"),
            ("0b101", Int, "binary"),
            ("-0b101", Int, "binary_minus"),
            ("0b102", Text, "not_binary"),
            ("1_000", Int, "underscores"),
            ("1__0_", Int, "underscores_anywhere"),
            ("_1", Text, "underscore_first_is_text"),
            ("-_1", Int, "underscore_after_sign"),
            ("0_7", Int, "underscore_in_octal"),
            ("9223372036854775807", Int, "largest_signed"),
            ("-9223372036854775808", Int, "smallest_signed"),
            ("-9223372036854775809", Float, "below_signed"),
            ("18446744073709551615", Int, "largest_unsigned"),
            ("+18446744073709551615", Float, "unsigned_takes_no_sign"),
            ("18446744073709551616", Float, "beyond_unsigned"),
            ("0xFFFFFFFFFFFFFFFF", Int, "largest_hexadecimal"),
            ("0x1FFFFFFFFFFFFFFFF", Text, "hexadecimal_beyond_unsigned"),
            ("1.5", Float, "fraction"),
            ("1.", Float, "point_at_the_end"),
            (".5", Float, "point_first"),
            ("-.5", Float, "minus_point"),
            (".", Text, "point_alone"),
            ("..", Text, "two_points"),
            ("1.2.3", Text, "version_is_text"),
            ("1e3", Float, "exponent"),
            ("1.e3", Float, "point_exponent"),
            ("1E+3", Float, "exponent_sign"),
            ("1e", Text, "exponent_without_digits"),
            ("1e1_0", Float, "underscore_in_exponent"),
            ("1e999", Text, "beyond_a_float_is_text"),
            ("1e-999", Float, "too_small_is_zero"),
            (".5_0", Float, "point_underscore_between_digits"),
            ("._5", Text, "point_underscore_first"),
            (".5_", Text, "point_underscore_last"),
            (".inf", Float, "infinity"),
            ("+.Inf", Float, "plus_infinity"),
            ("-.INF", Float, "minus_infinity"),
            (".nan", Float, "not_a_number"),
            ("-.nan", Text, "nan_has_no_sign"),
            ("inf", Text, "inf_without_point"),
            ("NaN", Text, "nan_without_point"),
            ("12:30:45", Text, "base_60_is_text"),
            ("190:20:30.15", Text, "base_60_float_is_text"),
            ("2026-01-01", Text, "date_is_text"),
            ("2026-01-01T00:00:00Z", Text, "time_is_text"),
            ("1234-5", Text, "four_digits_and_dash"),
            ("012345678901", Float, "account_number_with_a_nine_or_eight"),
            ("001234567012", Int, "account_number_read_as_octal"),
            ("123456789012", Int, "account_number"),
            ("=", Text, "equals"),
            ("<<", Text, "merge_as_a_value"),
            ("get", Text, "text"),
            ("none", Text, "n_word"),
            ("oN", Text, "on_mixed_case_is_text"),
            ("é", Text, "not_ascii"),
            ("1é", Text, "digit_and_not_ascii"),
        ];
        for (text, expected, name) in rows {
            assert_eq!(resolve(text), *expected, "{name}: `{text}`");
        }
    }

    /// Keys as `convertToJSONableObject` writes them.
    #[test]
    fn keys_become_text() {
        let rows: &[(&str, Option<&str>, &str)] = &[
            ("name", Some("name"), "text_stays"),
            ("yes", Some("true"), "yes_is_true"),
            ("n", Some("false"), "n_is_false"),
            ("~", None, "null_is_no_key"),
            ("1", Some("1"), "number_stays"),
            ("010", Some("8"), "octal_becomes_decimal"),
            ("0x10", Some("16"), "hexadecimal_becomes_decimal"),
            ("1_000", Some("1000"), "underscores_go"),
            ("+5", Some("5"), "plus_goes"),
            ("-0", Some("0"), "minus_zero"),
            ("18446744073709551615", None, "unsigned_beyond_signed_is_no_key"),
            ("1.50", Some("1.5"), "float_shortest"),
            ("0.1", Some("0.1"), "float_with_32_bits"),
            ("1e5", Some("100000"), "below_a_million"),
            ("1e6", Some("1e+06"), "exponent_from_a_million"),
            ("1234567.0", Some("1.234567e+06"), "exponent_with_fraction"),
            ("0.0001", Some("0.0001"), "small"),
            ("0.00001", Some("1e-05"), "smaller"),
            ("0.0", Some("0"), "zero"),
            (".inf", Some(".inf"), "infinity"),
            ("-.Inf", Some("-.inf"), "minus_infinity"),
            (".NaN", Some(".nan"), "nan"),
            ("1e300", Some(".inf"), "beyond_32_bits"),
            ("2026-01-01", Some("2026-01-01"), "date_stays"),
        ];
        for (text, expected, name) in rows {
            assert_eq!(key_text(text).as_deref(), *expected, "{name}: `{text}`");
        }
    }
}
