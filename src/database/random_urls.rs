//! URLs of any text: none panics, every refusal says what to correct, and none tells a secret.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use sqlx::{MySql, Postgres, Sqlite};

use super::hosted_urls::connection;
use super::{Connect, Target};
use crate::error::{ErrorKind, Result};

/// Stands for what must not be told: a user, a password, the value of a parameter.
const SECRET: &str = "k3pt-back";

const SCHEMES: [&str; 5] = ["postgres", "postgresql", "mysql", "mariadb", "sqlite"];

/// What URLs are made of, in any order. What is secret follows a colon or an equals sign.
const PIECES: [&str; 60] = [
    ":k3pt-back",
    "=k3pt-back",
    "//",
    "//",
    "/",
    ":",
    "?",
    "&",
    "=",
    "#",
    "@",
    "%",
    "%2F",
    "%40",
    "%zz",
    "%F0%9F",
    "+",
    "[",
    "]",
    "[::1]",
    "{",
    "}",
    "{}",
    "\"",
    ",",
    " ",
    ".",
    "é",
    "😀",
    "\u{7f}",
    "host",
    "user",
    "shop",
    "5432",
    "99999",
    "-1",
    "true",
    "false",
    "ssl",
    "ssl={",
    "sslmode=",
    "ssl-mode=",
    "sslrootcert=",
    "sslcert=",
    "ssl-key=",
    "-----BEGIN CERTIFICATE-----",
    "host=",
    "port=",
    "user=",
    "password=",
    "options[a]=",
    "application_name=",
    "statement-cache-capacity=",
    "busy_timeout=",
    "journal_mode=",
    "mode=",
    "cache=",
    "immutable=",
    "socket=",
    ":memory:",
];

/// Reads a URL as a store does before it connects.
fn read<DB: Connect>(url: &str) -> Result<Target<DB>> {
    DB::target(&connection(url), 5)
}

/// Whether a URL is accepted. Fails if its refusal is not as it should be.
fn is_accepted(url: &str) -> bool {
    let refusal = match url.split(':').next() {
        Some("postgres" | "postgresql") => read::<Postgres>(url).err(),
        Some("sqlite") => read::<Sqlite>(url).err(),
        _ => read::<MySql>(url).err(),
    };
    if let Some(error) = &refusal {
        assert_eq!(error.kind, ErrorKind::Options, "{url}");
        let told = format!("{} {:?}", error.message, error.cause);
        assert!(!told.contains(SECRET), "{url}: {told}");
    }
    refusal.is_none()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A name of any characters that a URL can have once they are encoded.
fn names() -> impl Strategy<Value = String> {
    // A path of dots is shortened, encoded or not.
    prop_oneof!["[a-zA-Z0-9_-]{1,20}", "[^\0]{1,12}", "[@:/?#%&=+ ]{1,6}"]
        .prop_filter("dots", |name| !name.bytes().all(|byte| byte == b'.'))
}

/// A host as a URL has it.
fn hosts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,10}[a-z0-9](\\.[a-z]{2,5}){0,3}",
        "1[0-9]{2}\\.[1-9][0-9]\\.[0-9]\\.1",
        "\\[2001:db8::[1-9a-f]{1,4}\\]",
    ]
}

proptest! {
    #[test]
    fn any_url_is_read_or_refused(
        scheme in prop::sample::select(SCHEMES.to_vec()),
        begin in prop::sample::select(vec![":", "://", "://user:k3pt-back@host", "://user:k3pt-back@host/shop?"]),
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..12),
    ) {
        is_accepted(&format!("{scheme}{begin}{}", pieces.concat()));
    }

    #[test]
    fn any_text_is_read_or_refused(
        scheme in prop::sample::select(SCHEMES.to_vec()),
        text in "\\PC{0,60}",
        secret in prop::sample::select(vec!["", "user:k3pt-back@", "?a=k3pt-back", "/shop?sslmode=k3pt-back"]),
    ) {
        is_accepted(&format!("{scheme}:{text}{secret}"));
        is_accepted(&format!("{scheme}://{secret}{text}"));
    }

    #[test]
    fn an_encoded_url_says_what_was_encoded(
        user in names(),
        password in names(),
        host in hosts(),
        port in prop::option::of(1..=u16::MAX),
        database in names(),
        value in names(),
    ) {
        let address = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let place = format!("{}:{}@{address}/{}", encoded(&user), encoded(&password), encoded(&database));
        let bare = host.trim_matches(['[', ']']);

        let url = format!("postgres://{place}?application_name={}", encoded(&value));
        let options = read::<Postgres>(&url).unwrap().hosts.remove(0).options;
        let found = (options.get_host(), options.get_port(), options.get_username(), options.get_database());
        prop_assert_eq!(found, (bare, port.unwrap_or(5432), user.as_str(), Some(database.as_str())));
        prop_assert_eq!(options.get_application_name(), Some(value.as_str()));

        let options = read::<MySql>(&format!("mysql://{place}?color={}", encoded(&value))).unwrap().hosts.remove(0).options;
        let found = (options.get_host(), options.get_port(), options.get_username(), options.get_database());
        prop_assert_eq!(found, (bare, port.unwrap_or(3306), user.as_str(), Some(database.as_str())));
    }
}
