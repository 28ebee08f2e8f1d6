//! Parts of database URLs that the databases on servers share.

use super::values::without_values;
use crate::error::{Result, StoreError};

/// Rejects the URL of a server whose parts are not sure, because its user name or password is not percent-encoded: a piece
/// of a password would be taken for a host, a port or the name of a database, and would be shown in messages.
///
/// # Errors
/// `ERR_SESSION_OPTIONS`, with nothing of the URL.
pub fn check_encoding(url: &str, title: &str, scheme: &str) -> Result<()> {
    let rest = url.split_once(':').map_or("", |(_, rest)| rest);
    let Some(rest) = rest.strip_prefix("//") else {
        return Err(StoreError::options(format!(
            "expected a {title} URL such as `{scheme}://user:password@host/database`, got one without `//` after the scheme"
        )));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let got = if rest.contains('#') {
        "a `#`"
    } else if rest[authority.len()..].contains('@') {
        "an `@` after the host"
    } else if rest.split('%').skip(1).any(|part| !is_encoded(part)) {
        "a `%` without two hexadecimal digits"
    } else {
        return Ok(());
    };
    Err(StoreError::options(format!(
        "expected a {title} URL in which special characters of the user name, the password and the parameters are \
         percent-encoded, got one with {got}; encode each of them with `encodeURIComponent`"
    )))
}

/// Whether a percent sign before this text encodes a byte.
fn is_encoded(text: &str) -> bool {
    text.len() >= 2 && text.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
}

/// The error for a URL that the driver cannot read.
pub fn invalid_url(title: &str, error: &sqlx::Error) -> StoreError {
    let reason = match error {
        sqlx::Error::Configuration(reason) => reason.to_string(),
        other => other.to_string(),
    };
    StoreError::options(format!(
        "invalid {title} URL: {}; special characters in its parts have to be percent-encoded",
        without_values(&reason)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_url_are_sure() {
        for url in [
            "mysql://user:password@host:3306/shop?ssl-mode=REQUIRED",
            "mysql://user:a%2Fb%40c@host/shop",
            "mysql://user:a@b@host/shop",
            "mysql://host/shop",
            "mysql://user@/shop?socket=/tmp/mysql.sock",
        ] {
            check_encoding(url, "MySQL", "mysql").unwrap();
        }
        for url in [
            "mysql:shop:hidden@host/shop",
            "mysql:/shop:hidden@host/shop",
            "mysql:postgres://shop:hidden@host/shop",
            "mysql://shop:2024/hidden@host/shop",
            "mysql://shop:2024?hidden@host/shop",
            "mysql://shop:2024#hidden@host/shop",
            "mysql://shop:a@b/hidden@host/shop",
            "mysql://shop:hidden%@host/shop",
            "mysql://shop:hidden%zz@host/shop",
            "mysql:///shop:hidden@host/shop",
        ] {
            let message = check_encoding(url, "MySQL", "mysql").unwrap_err().message;
            assert!(!message.contains("hidden"), "{message}");
        }
    }
}
