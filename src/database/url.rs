//! Parts of database URLs that the databases on servers share.

use std::borrow::Cow;

/// The URL with a host. It may be missing where a parameter overrides it, such as the folder of a socket.
pub fn with_host(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.into();
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    match authority.strip_suffix('@') {
        Some(credentials) => {
            let path = &rest[authority.len()..];
            format!("{scheme}://{credentials}@localhost{path}").into()
        }
        None => url.into(),
    }
}
