//! Cutting values out of what databases say. An error may quote a session, its id or a value of the application's own
//! columns, and errors are logged. Names of tables, columns and keys stay.

/// What stands in place of a value.
const CUT: &str = "…";

/// The words before a quoted name. Whatever else is quoted may be a value.
const NAMED: [&str; 31] = [
    "collation",
    "column",
    "constraint",
    "database",
    "definer",
    "encoding",
    "extension",
    "field",
    "file",
    "function",
    "host",
    "index",
    "key",
    "near",
    "parameter",
    "partition",
    "plugin",
    "procedure",
    "relation",
    "role",
    "schema",
    "sequence",
    "server",
    "statement",
    "table",
    "tablespace",
    "trigger",
    "type",
    "user",
    "variable",
    "view",
];

/// How the messages begin that go on after a value, and with which words. A value may contain the same words, so their last
/// place counts.
const AFTER_VALUE: [(&str, &str); 5] = [
    ("Duplicate entry", " for key "),
    ("Incorrect ", " for column "),
    ("Incorrect ", " for function "),
    ("Cannot convert string", " from "),
    ("value ", " is out of range for type "),
];

/// The message without values.
pub fn without_values(message: &str) -> String {
    let mut kept = String::new();
    let mut rest = message;
    while let Some(start) = first_quote(rest) {
        let (before, quoted) = rest.split_at(start);
        kept.push_str(&without_numbers(before));
        // The quotes are ASCII.
        let quote = quoted.chars().next().unwrap_or_default();
        let end = quoted[1..].find(quote).map(|end| end + 2);
        let (piece, after) = quoted.split_at(end.unwrap_or(quoted.len()));
        if end.is_some() && is_name(&kept, quote) {
            kept.push_str(piece);
            rest = after;
        } else {
            kept.push_str(CUT);
            rest = after_value(message, quoted);
        }
    }
    kept.push_str(&without_numbers(rest));
    kept
}

/// Whether a quoted piece after this text is a name: by its quotes, by the word before it, or as a further part of a name.
fn is_name(before: &str, quote: char) -> bool {
    if quote == '`' {
        return true;
    }
    if before.ends_with(['.', '@']) {
        let rest = &before[..before.len() - 1];
        return rest.ends_with(quote) || rest.ends_with('`');
    }
    let word = before.trim_end().rsplit([' ', '(']).next();
    word.is_some_and(|word| NAMED.contains(&word.to_ascii_lowercase().as_str()))
}

/// What follows the value that begins here: from the words that come after it, or from its last quote.
fn after_value<'a>(message: &str, quoted: &'a str) -> &'a str {
    let quote = &quoted[..1];
    let words = AFTER_VALUE
        .iter()
        .filter(|(start, _)| message.starts_with(start))
        .filter_map(|(_, words)| quoted.rfind(&format!("{quote}{words}")))
        .max();
    let end = words.or_else(|| quoted.rfind(quote).filter(|end| *end > 0));
    end.map_or("", |end| &quoted[end + 1..])
}

/// Where the next quoted piece begins. An apostrophe follows a letter.
fn first_quote(text: &str) -> Option<usize> {
    let mut quotes = text.match_indices(['\'', '"', '`']);
    let place = quotes.find(|(place, _)| !text[..*place].ends_with(char::is_alphanumeric));
    place.map(|(place, _)| place)
}

/// Cuts out the bytes that PostgreSQL and MySQL write as hexadecimal numbers.
fn without_numbers(text: &str) -> String {
    let mut parts = text.split("0x");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(CUT);
        kept.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_out() {
        for (message, expected) in [
            (
                "Duplicate entry 'secret' for key 'Sessions.user_id'",
                "Duplicate entry … for key 'Sessions.user_id'",
            ),
            (
                "Duplicate entry 'it's for key 'x' and secret' for key 'user_id'",
                "Duplicate entry … for key 'user_id'",
            ),
            (
                r"Incorrect string value: '\xF0\x9F' for column `shop`.`Sessions`.`data` at row 1",
                "Incorrect string value: … for column `shop`.`Sessions`.`data` at row 1",
            ),
            (
                "Incorrect integer value: 'a column 'secret' for column 'n' at row 1",
                "Incorrect integer value: … for column 'n' at row 1",
            ),
            (
                "Truncated incorrect DOUBLE value: 'secret'",
                "Truncated incorrect DOUBLE value: …",
            ),
            (
                r"Cannot convert string '\x65\xE5' from ucs2 to latin1",
                "Cannot convert string … from ucs2 to latin1",
            ),
            (
                "invalid input syntax for type integer: \"secret\"",
                "invalid input syntax for type integer: …",
            ),
            (
                "invalid input syntax for type integer: \"a\" column \"secret\"",
                "invalid input syntax for type integer: …",
            ),
            (
                "value \"5000000000\" is out of range for type integer",
                "value … is out of range for type integer",
            ),
            (
                "invalid input value for enum mood: \"secret\"",
                "invalid input value for enum mood: …",
            ),
            (
                "invalid byte sequence for encoding \"UTF8\": 0xed 0xa0",
                "invalid byte sequence for encoding \"UTF8\": … …",
            ),
            (
                "Truncated incorrect INTEGER value: 'a' for column 'secret'",
                "Truncated incorrect INTEGER value: …",
            ),
            (
                "BIGINT value is out of range in '(1 + secret)'",
                "BIGINT value is out of range in …",
            ),
            ("unrecognized token: \"'secret", "unrecognized token: …"),
        ] {
            assert_eq!(without_values(message), expected);
        }
    }

    #[test]
    fn names_stay() {
        for message in [
            "duplicate key value violates unique constraint \"Sessions_user_id_key\"",
            "null value in column \"n\" of relation \"Sessions\" violates not-null constraint",
            "UNIQUE constraint failed: Sessions.user_id",
            "Column 'n' cannot be null",
            "Table 'shop.Sessions' doesn't exist",
            "Access denied for user 'shop'@'localhost' (using password: YES)",
            "password authentication failed for user \"shop\"",
            "CONSTRAINT `Sessions.n` failed for `shop`.`Sessions`",
            "Check constraint 'c' is violated.",
            "Data too long for column 'data' at row 1",
            "Field 'n' doesn't have a default value",
            "prepared statement \"sqlx_s_1\" does not exist",
        ] {
            assert_eq!(without_values(message), message);
        }
    }
}
