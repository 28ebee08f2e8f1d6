//! Reading DER (X.690), as far as certificates need it.

// Types of values.
pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// Reads DER values one after another.
pub struct Reader<'a>(pub &'a [u8]);

/// One DER value.
pub struct Value<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    /// With tag and length.
    pub whole: &'a [u8],
}

impl<'a> Reader<'a> {
    /// `None` at the end, and where there is no value that can be read.
    pub fn next(&mut self) -> Option<Value<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        // No part of a certificate has a tag of several bytes.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let (bytes, rest) = rest.split_at_checked(count)?;
            let length = bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            (length, rest)
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - after.len()];
        self.0 = after;
        Some(Value {
            tag,
            content,
            whole,
        })
    }

    /// A value of this type.
    pub fn expect(&mut self, tag: u8) -> Option<Value<'a>> {
        self.next().filter(|value| value.tag == tag)
    }

    pub fn starts_with(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }
}

/// The values in a content, up to the first that cannot be read.
pub fn values(content: &[u8]) -> impl Iterator<Item = Value<'_>> {
    let mut reader = Reader(content);
    std::iter::from_fn(move || reader.next())
}
