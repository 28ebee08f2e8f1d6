//! Reading certificates (X.509, RFC 5280), also those that rustls does not take: of version 1, without alternative names,
//! with extensions of any form. Only what is asked for is read, so nothing else can be wrong with it.

use rustls::pki_types::SubjectPublicKeyInfoDer;
use time::{Date, Month, PrimitiveDateTime, Time};

use super::der::{
    BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader,
    SEQUENCE, UTC_TIME, Value, values,
};

const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

// Object identifiers.
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The bit of the key usage that allows to sign certificates.
const SIGNS_CERTIFICATES: u8 = 0x04;

/// The shortest RSA key, in bytes, whose signatures can be checked.
const SHORTEST_RSA: usize = 256;

/// A certificate. The parts are contents of their values, without tag and length, unless something else is said.
#[derive(Debug)]
pub struct Certificate<'a> {
    /// The whole, without what may follow it.
    pub der: &'a [u8],
    /// What the issuer has signed, as a whole value.
    pub signed: &'a [u8],
    pub algorithm: &'a [u8],
    pub signature: &'a [u8],
    pub issuer: &'a [u8],
    pub subject: &'a [u8],
    /// The public key with its algorithm, as a whole value.
    pub key: &'a [u8],
    validity: &'a [u8],
    /// `None` in versions 1 and 2.
    extensions: Option<&'a [u8]>,
}

/// When a certificate is valid, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub not_before: i64,
    pub not_after: i64,
}

impl<'a> Certificate<'a> {
    /// `None` if this is no certificate.
    pub fn read(der: &'a [u8]) -> Option<Self> {
        let outer = Reader(der).expect(SEQUENCE)?;
        let mut parts = Reader(outer.content);
        let signed = parts.expect(SEQUENCE)?;
        let algorithm = parts.expect(SEQUENCE)?.content;
        let (_unused_bits, signature) = parts.expect(BIT_STRING)?.content.split_first()?;
        let mut fields = Reader(signed.content);
        if fields.starts_with(VERSION) {
            fields.next()?;
        }
        fields.expect(INTEGER)?;
        fields.expect(SEQUENCE)?;
        let issuer = fields.expect(SEQUENCE)?.content;
        let validity = fields.expect(SEQUENCE)?.content;
        let subject = fields.expect(SEQUENCE)?.content;
        let key = fields.expect(SEQUENCE)?.whole;
        let extensions = values(fields.0)
            .find(|value| value.tag == EXTENSIONS)
            .and_then(|value| Reader(value.content).expect(SEQUENCE))
            .map(|value| value.content);
        Some(Self {
            der: outer.whole,
            signed: signed.whole,
            algorithm,
            signature,
            issuer,
            subject,
            key,
            validity,
            extensions,
        })
    }

    /// `None` if the dates cannot be read.
    pub fn validity(&self) -> Option<Validity> {
        let mut dates = Reader(self.validity);
        Some(Validity {
            not_before: seconds(&dates.next()?)?,
            not_after: seconds(&dates.next()?)?,
        })
    }

    pub fn public_key(&self) -> SubjectPublicKeyInfoDer<'a> {
        SubjectPublicKeyInfoDer::from(self.key)
    }

    /// Whether the subject is its own issuer.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether it may sign other certificates. Those of version 1 do not say.
    pub fn is_authority(&self) -> bool {
        let Some(constraints) = self.extension(BASIC_CONSTRAINTS) else {
            return self.extensions.is_none();
        };
        let is_authority = Reader(constraints)
            .expect(SEQUENCE)
            .and_then(|value| Reader(value.content).expect(BOOLEAN))
            .is_some_and(|value| value.content != [0]);
        let may_sign = self.extension(KEY_USAGE).is_none_or(|usage| {
            Reader(usage)
                .expect(BIT_STRING)
                .and_then(|value| value.content.get(1).copied())
                .is_some_and(|bits| bits & SIGNS_CERTIFICATES != 0)
        });
        is_authority && may_sign
    }

    /// Whether it limits the names for which it may sign certificates.
    pub fn has_name_constraints(&self) -> bool {
        self.extension(NAME_CONSTRAINTS).is_some()
    }

    /// Whether a server may use it, which those without an extended key usage do not say.
    pub fn is_for_servers(&self) -> bool {
        self.extension(EXTENDED_KEY_USAGE).is_none_or(|usages| {
            Reader(usages).expect(SEQUENCE).is_some_and(|value| {
                values(value.content).any(|usage| usage.content == SERVER_AUTH)
            })
        })
    }

    /// Whether the key is an RSA key too short for its signatures to be checked.
    pub fn has_short_key(&self) -> bool {
        let modulus = || {
            let mut parts = Reader(Reader(self.key).expect(SEQUENCE)?.content);
            let algorithm = parts.expect(SEQUENCE)?.content;
            if Reader(algorithm).expect(OBJECT_IDENTIFIER)?.content != RSA {
                return None;
            }
            let bits = parts.expect(BIT_STRING)?.content.get(1..)?;
            let numbers = Reader(bits).expect(SEQUENCE)?.content;
            Some(Reader(numbers).expect(INTEGER)?.content)
        };
        modulus().is_some_and(|modulus| {
            let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
            modulus.len() - zeros < SHORTEST_RSA
        })
    }

    pub fn extension(&self, identifier: &[u8]) -> Option<&'a [u8]> {
        values(self.extensions?).find_map(|extension| {
            let mut parts = Reader(extension.content);
            if parts.expect(OBJECT_IDENTIFIER)?.content != identifier {
                return None;
            }
            if parts.starts_with(BOOLEAN) {
                parts.next()?;
            }
            Some(parts.expect(OCTET_STRING)?.content)
        })
    }
}

impl Validity {
    pub fn includes(self, now: i64) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

/// A date in seconds since 1970.
fn seconds(date: &Value<'_>) -> Option<i64> {
    let text = std::str::from_utf8(date.content).ok()?.strip_suffix('Z')?;
    let (year, rest) = match date.tag {
        UTC_TIME => {
            let year: i32 = text.get(..2)?.parse().ok()?;
            (year + if year < 50 { 2000 } else { 1900 }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let part = |index: usize| rest.get(index..index + 2)?.parse::<u8>().ok();
    let month = Month::try_from(part(0)?).ok()?;
    let date = Date::from_calendar_date(year, month, part(2)?).ok()?;
    let time = Time::from_hms(part(4)?, part(6)?, part(8)?).ok()?;
    Some(
        PrimitiveDateTime::new(date, time)
            .assume_utc()
            .unix_timestamp(),
    )
}

#[cfg(test)]
pub mod tests {
    use super::*;

    use proptest::prelude::*;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};

    /// Of version 1, for the common name db.example.com, valid from 2020 to 2070.
    pub const OLD: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBLzCB1QIUQ5I0fB/7bxxvLpzG1hIn5+fd63EwCgYIKoZIzj0EAwIwGTEXMBUG
A1UEAwwOZGIuZXhhbXBsZS5jb20wIBcNMjAwMTAxMDAwMDAwWhgPMjA3MDAxMDEw
MDAwMDBaMBkxFzAVBgNVBAMMDmRiLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEPOCbpyLah7Mzwo7Z5g5QIuY2LGeBrJFN/hqtxyEfk/vek993
D6UuGWgAOVnVn/eknY7+oU/PrM/d1uICKT0pMjAKBggqhkjOPQQDAgNJADBGAiEA
pZRvEgXDw/0v493EN/WAUWetePKWQTQ6fMrBnTepRKACIQDJGOIsiQwBUZldTE8y
2sRsf9lS+Zi6EArnomG9nCP93w==
-----END CERTIFICATE-----";

    /// The same for the alternative names *.example.com and 127.0.0.1, for servers. Says to be an authority, and not to sign
    /// certificates.
    pub const NEW: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBkzCCATigAwIBAgIUBWdf1N0wuu8ZUiuKxPm/dQqX0QYwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCZGIwIBcNMjAwMTAxMDAwMDAwWhgPMjA3MDAxMDEwMDAwMDBa
MA0xCzAJBgNVBAMMAmRiMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOvbEsTM+
dmb/fFtTvsL89JR93cz0F6ml3p+JQkPIJaGmBGprzQ/IXG3lhK7DwD6iqdXJ2ATW
blJQBiG37FTKRKN0MHIwHgYDVR0RBBcwFYINKi5leGFtcGxlLmNvbYcEfwAAATAT
BgNVHSUEDDAKBggrBgEFBQcDATAPBgNVHRMBAf8EBTADAQH/MAsGA1UdDwQEAwIH
gDAdBgNVHQ4EFgQUjDBEifum1eDSgKZXGln0YKiVQG4wCgYIKoZIzj0EAwIDSQAw
RgIhANDqO8GbPohEItR+clBKB88x3TXd7PP3ZZ3FHfq677SRAiEAjBuGszcXvl0r
TJA8TtiCoqy+9M3AjX3gFGj/rHwUhNg=
-----END CERTIFICATE-----";

    pub fn der(pem: &[u8]) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem).unwrap()
    }

    #[test]
    fn parts_of_a_certificate() {
        let der = [der(OLD), der(NEW)];
        let [old, new] = der.each_ref().map(|der| Certificate::read(der).unwrap());
        for certificate in [&old, &new] {
            let (not_before, not_after) = (1_577_836_800, 3_155_760_000);
            let validity = certificate.validity().unwrap();
            assert_eq!(
                validity,
                Validity {
                    not_before,
                    not_after
                }
            );
            assert!(validity.includes(not_after) && !validity.includes(not_before - 1));
            assert!(certificate.is_self_issued() && certificate.is_for_servers());
            assert!(!certificate.has_name_constraints() && !certificate.has_short_key());
        }
        assert!(old.is_authority() && !new.is_authority());
    }

    proptest! {
        #[test]
        fn damage_does_no_harm(new: bool, at: prop::sample::Index, byte: u8, length: prop::sample::Index) {
            let mut bytes = der(if new { NEW } else { OLD }).to_vec();
            let index = at.index(bytes.len());
            bytes[index] = byte;
            for bytes in [&bytes[..], &bytes[..length.index(bytes.len())]] {
                let Some(certificate) = Certificate::read(bytes) else { continue };
                _ = (certificate.validity(), certificate.names(), certificate.has_short_key());
                _ = (certificate.is_authority(), certificate.is_for_servers());
                let host = ServerName::try_from("db.example.com").unwrap();
                _ = certificate.is_for(&host, true);
            }
        }
    }

    #[test]
    fn dates() {
        let read = |tag, text: &str| {
            seconds(&Value {
                tag,
                content: text.as_bytes(),
                whole: &[],
            })
        };
        assert_eq!(read(UTC_TIME, "700101000001Z"), Some(1));
        assert_eq!(read(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(
            read(GENERALIZED_TIME, "99991231235959Z"),
            Some(253_402_300_799)
        );
        assert_eq!(read(UTC_TIME, "701301000001Z"), None);
        assert_eq!(read(UTC_TIME, "70010100Z"), None);
        assert_eq!(read(UTC_TIME, "é0101000001Z"), None);
    }

    #[test]
    fn what_is_no_certificate() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x84, 255, 255, 255, 255],
            &[0x30, 0x80],
            &[0x1f, 1, 0],
        ] {
            assert!(Certificate::read(bytes).is_none(), "{bytes:?}");
        }
    }
}
