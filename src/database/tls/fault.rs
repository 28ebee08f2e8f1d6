//! Why TLS with a server is not possible, with the way out.

use rustls::{AlertDescription, CertificateError, Error, OtherError};

/// What is wrong with a server's certificate. The codes are those of Node.js.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the server's certificate has expired; renew it on the server")]
    Expired,
    #[error(
        "the server's certificate is not valid yet; check the clocks of this machine and of the machine that made the certificate"
    )]
    NotYetValid,
    #[error(
        "the certificate of the authority that signed the server's certificate has expired; name a newer one"
    )]
    ExpiredAuthority,
    #[error(
        "the server's certificate is self-signed and not trusted; name the certificate itself as authority, in `sslrootcert`, on \
         MySQL in `ssl-ca`"
    )]
    SelfSigned,
    #[error(
        "the server's certificate was signed by an authority that is not among those named; name its certificate in `sslrootcert`, on \
         MySQL in `ssl-ca`"
    )]
    NotGiven,
    #[error(
        "the server's certificate was signed by an authority that is not trusted; name its certificate in `sslrootcert`, on MySQL in \
         `ssl-ca`, or in the environment variable `NODE_EXTRA_CA_CERTS`"
    )]
    NotTrusted,
    #[error(
        "the server's certificate is for {}, not for `{host}`; connect to a host that it is for, or verify its authority only \
         (`verify-ca`, on MySQL `VERIFY_CA`)", listed(.names)
    )]
    WrongHost { host: String, names: Vec<String> },
    #[error("the server's certificate cannot be verified: {0}; give the server another one")]
    Unusable(String),
}

impl Fault {
    pub fn not_for_servers() -> Self {
        Self::Unusable("it is not for servers".to_owned())
    }

    fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::Expired | Self::ExpiredAuthority => "CERT_HAS_EXPIRED",
            Self::NotYetValid => "CERT_NOT_YET_VALID",
            Self::SelfSigned => "DEPTH_ZERO_SELF_SIGNED_CERT",
            Self::NotGiven | Self::NotTrusted => "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            Self::WrongHost { .. } => "ERR_TLS_CERT_ALTNAME_INVALID",
            Self::Unusable(_) => return None,
        })
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        CertificateError::Other(OtherError(std::sync::Arc::new(fault))).into()
    }
}

/// The first few names.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut quoted: Vec<_> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len() {
        0 => quoted.push("no host".to_owned()),
        count if count > SHOWN => quoted.push("others".to_owned()),
        _ => {}
    }
    quoted.join(", ")
}

/// Whether an error means that TLS is not possible, and why: the code of Node.js, if there is one, and the reason. Trying again
/// does not help.
pub fn tls_fault(error: &sqlx::Error) -> Option<(Option<&'static str>, String)> {
    let error = match error {
        sqlx::Error::Tls(error) => return Some((None, error.to_string())),
        sqlx::Error::Io(error) => error.get_ref()?.downcast_ref::<Error>()?,
        _ => return None,
    };
    match error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(fault))) => {
            let fault = fault.downcast_ref::<Fault>()?;
            Some((fault.code(), fault.to_string()))
        }
        // The server is ending, or has a fault of its own.
        Error::AlertReceived(
            AlertDescription::InternalError
            | AlertDescription::UserCanceled
            | AlertDescription::CloseNotify,
        ) => None,
        Error::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied),
        ) => Some((
            None,
            format!(
                "the server asks for a certificate of the client, or refuses the one that it got (alert {alert:?}); check `sslcert` \
                 and `sslkey`, on MySQL `ssl-cert` and `ssl-key`"
            ),
        )),
        error => Some((
            None,
            format!(
                "TLS with the server is not possible: {error}; the versions of TLS are 1.2 and 1.3"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn fault_of(error: Error) -> Option<(Option<&'static str>, String)> {
        tls_fault(&io::Error::new(io::ErrorKind::InvalidData, error).into())
    }

    #[test]
    fn faults_have_a_code_and_a_way_out() {
        let (code, reason) = fault_of(Fault::Expired.into()).unwrap();
        assert_eq!(code, Some("CERT_HAS_EXPIRED"));
        assert!(reason.contains("renew"), "{reason}");
        let names: Vec<_> = (0..9).map(|number| format!("host{number}")).collect();
        let host = "db".to_owned();
        let (_, reason) = fault_of(Fault::WrongHost { host, names }.into()).unwrap();
        assert!(reason.contains("`host4`, others, not for `db`"), "{reason}");
    }

    #[test]
    fn alerts() {
        let required = AlertDescription::CertificateRequired;
        let (_, reason) = fault_of(Error::AlertReceived(required)).unwrap();
        assert!(reason.contains("sslcert"), "{reason}");
        let ending = AlertDescription::InternalError;
        assert_eq!(fault_of(Error::AlertReceived(ending)), None);
        assert_eq!(tls_fault(&io::Error::other("reset").into()), None);
    }
}
