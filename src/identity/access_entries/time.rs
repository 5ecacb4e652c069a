//! Points in time as the AWS CLI, Terraform and the rest write them.

/// The microseconds since 1970 of `2025-02-03T10:11:12.345+00:00`, `2025-02-03 10:21:00 +0000 UTC` or `1738578000.123`.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let micros = seconds * 1e6;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "within bounds, and below a microsecond nothing counts"
        )]
        return (micros.abs() < 9e18).then_some(micros as i64);
    }
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let mut parts = clock.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let digits = rest.strip_prefix('.').map_or("", |rest| {
        let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    });
    let zone = rest.get(if digits.is_empty() { 0 } else { digits.len() + 1 }..)?.trim_start();
    let mut micros = 0;
    for (digit, power) in digits.bytes().zip([100_000, 10_000, 1000, 100, 10, 1]) {
        micros += i64::from(digit - b'0') * power;
    }
    let offset = offset(zone.trim_end_matches("UTC").trim_end())?;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(seconds * 1_000_000 + micros)
}

/// The seconds of `Z`, `+01:00`, `-0300` or nothing.
fn offset(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.chars().next() {
        None | Some('Z' | 'z') => return Some(0),
        Some('+') => (1, zone.get(1..)?),
        Some('-') => (-1, zone.get(1..)?),
        Some(_) => return None,
    };
    let digits: String = rest.chars().filter(|char| *char != ':').collect();
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..4)?.parse().ok()?;
    Some(sign * (hours * 3600 + minutes * 60))
}

/// The days since 1970 of a date of the Gregorian calendar: years begin in March, so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_way_to_write_a_time() {
        let expected = Some(1_738_578_000_123_000);
        for text in [
            "1738578000.123",
            "2025-02-03T10:20:00.123Z",
            "2025-02-03T10:20:00.123000+00:00",
            "2025-02-03T11:20:00.123+01:00",
            "2025-02-03 10:20:00.123 +0000 UTC",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse("2024-02-29T00:00:00Z"), Some(1_709_164_800_000_000));
        for text in ["", "yesterday", "2025-02-03", "2025-13-03T10:20:00Z", "2025-02-03T10:20:00 CET"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
