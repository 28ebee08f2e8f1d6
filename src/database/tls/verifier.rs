//! Verifying servers as Node.js does with OpenSSL. rustls itself refuses certificates that OpenSSL takes: of version 1, as MariaDB
//! makes them by itself, and those that are their own authority.
//!
//! A chain of certificates is verified by webpki, the library of rustls. What is done here: a certificate that is trusted
//! itself, a certificate that a trusted authority has signed directly and that webpki does not take, the common name, and the
//! signature of the handshake by the key of any certificate.

use std::sync::Arc;

use futures_util::FutureExt;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, ServerName, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime,
};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use sqlx_core::net::tls::{SERVER_VERIFICATION, TlsConfig};
use webpki::{EndEntityCert, KeyUsage, RawPublicKeyEntity};

use super::certificate::Certificate;
use super::fault::Fault;
use super::trust::{Authorities, Trust};

/// Verifies the certificates of one server.
#[derive(Debug)]
struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    /// `None` verifies nothing.
    check: Option<Check>,
}

#[derive(Debug)]
struct Check {
    authorities: Arc<Authorities>,
    /// Whether the certificate has to be for the host.
    host: bool,
}

/// Whether the common name of a certificate may stand for the name of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommonName {
    Counts,
    /// There is an authority that may sign only for certain names, which common names would evade, or a public one, which
    /// gives alternative names to all.
    Ignored,
}

/// Has the driver verify servers in this way, in the whole process.
pub fn install() {
    // The first call counts; the others would set the same.
    _ = SERVER_VERIFICATION.set(|config| verification(config).boxed());
}

async fn verification(
    config: &TlsConfig<'_>,
) -> sqlx::Result<(Arc<dyn ServerCertVerifier>, ServerName<'static>)> {
    let trust = Trust::decode(config.root_cert_path);
    let name = trust.server_name.as_deref().unwrap_or(config.hostname);
    let name = ServerName::try_from(name.to_owned());
    let check = if config.accept_invalid_certs {
        None
    } else {
        let load = tokio::task::spawn_blocking(move || trust.source.load());
        Some(Check {
            authorities: load
                .await
                .map_err(|error| sqlx::Error::Tls(error.into()))??,
            host: !config.accept_invalid_hostnames,
        })
    };
    let host_matters = check.as_ref().is_some_and(|check| check.host);
    let name = match name {
        Err(_) if host_matters => {
            let message = "no certificate can be for the host of the URL, which is neither a name nor an address";
            return Err(sqlx::Error::Tls(message.into()));
        }
        // An address is not told to the server.
        Err(_) => ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
        Ok(name) => name,
    };
    let algorithms = ring::default_provider().signature_verification_algorithms;
    Ok((Arc::new(Verifier { algorithms, check }), name))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(check) = &self.check else {
            return Ok(ServerCertVerified::assertion());
        };
        let certificate = Certificate::read(end_entity)
            .ok_or_else(|| Fault::Unusable("it is not in the format of X.509".to_owned()))?;
        let trusted = check
            .authorities
            .verify(&certificate, intermediates, now, self.algorithms);
        let common_name = trusted?;
        if check.host && !certificate.is_for(server_name, common_name == CommonName::Counts) {
            let host = server_name.to_str().into_owned();
            let names = certificate.names();
            return Err(Fault::WrongHost { host, names }.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(certificate, |key| {
            let mapping = self.algorithms.mapping.iter();
            let candidates = mapping
                .filter(|(scheme, _)| *scheme == signed.scheme)
                .flat_map(|(_, candidates)| *candidates);
            let key = RawPublicKeyEntity::try_from(key)
                .map_err(|_| Error::from(CertificateError::BadEncoding))?;
            for candidate in candidates {
                match key.verify_signature(*candidate, message, signed.signature()) {
                    // In TLS 1.2, the scheme does not say the curve.
                    Err(webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)) => {}
                    Err(_) => return Err(CertificateError::BadSignature.into()),
                    Ok(()) => return Ok(HandshakeSignatureValid::assertion()),
                }
            }
            Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(certificate, |key| {
            verify_tls13_signature_with_raw_key(message, key, signed, &self.algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.algorithms.supported_schemes();
        if self.check.is_none() {
            // Keys that OpenSSL takes, and whose signatures cannot be checked here.
            schemes.extend([
                SignatureScheme::ECDSA_NISTP521_SHA512,
                SignatureScheme::ED448,
            ]);
        }
        schemes
    }
}

impl Verifier {
    /// Checks that the server has the key of its certificate. Where nothing is verified, anybody may come with any key, so one
    /// whose signatures cannot be checked passes.
    fn verify_signature(
        &self,
        certificate: &CertificateDer<'_>,
        verify: impl FnOnce(&SubjectPublicKeyInfoDer<'_>) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let Some(certificate) = Certificate::read(certificate) else {
            return match self.check {
                None => Ok(HandshakeSignatureValid::assertion()),
                Some(_) => Err(CertificateError::BadEncoding.into()),
            };
        };
        let verified = verify(&certificate.public_key());
        let is_bad = |error: &Error| {
            matches!(
                error,
                Error::InvalidCertificate(CertificateError::BadSignature)
            ) && !certificate.has_short_key()
        };
        match verified {
            Err(error) if self.check.is_none() && !is_bad(&error) => {
                Ok(HandshakeSignatureValid::assertion())
            }
            verified => verified,
        }
    }
}

impl Authorities {
    /// Whether a server's certificate is trusted.
    fn verify(
        &self,
        certificate: &Certificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<CommonName, Fault> {
        if self.own.iter().any(|own| **own == *certificate.der) {
            check_itself(certificate, now)?;
            return Ok(CommonName::Counts);
        }
        let der = CertificateDer::from(certificate.der);
        let chain = EndEntityCert::try_from(&der)
            .and_then(|end_entity| self.verify_chain(&end_entity, intermediates, now, algorithms));
        match chain {
            Ok(common_name) => Ok(common_name),
            // OpenSSL takes these, too.
            Err(webpki::Error::UnsupportedCertVersion | webpki::Error::CaUsedAsEndEntity) => {
                self.verify_direct(certificate, now, algorithms)
            }
            Err(error) => Err(self.fault(certificate, &error, now)),
        }
    }

    fn verify_chain(
        &self,
        end_entity: &EndEntityCert<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<CommonName, webpki::Error> {
        let own = self.own.iter().filter(|der| is_valid(der, now));
        let mut anchors: Vec<TrustAnchor<'_>> = own
            .filter_map(|der| webpki::anchor_from_trusted_cert(der).ok())
            .collect();
        let own = anchors.len();
        if self.mozilla {
            anchors.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let usage = KeyUsage::server_auth();
        let path = end_entity.verify_for_usage(
            algorithms.all,
            &anchors,
            intermediates,
            now,
            usage,
            None,
            None,
        )?;
        let is_own = anchors[..own].contains(path.anchor());
        let constrained = path.anchor().name_constraints.is_some()
            || path.intermediate_certificates().any(|intermediate| {
                let der = intermediate.der();
                Certificate::read(&der).is_none_or(|read| read.has_name_constraints())
            });
        Ok(if is_own && !constrained {
            CommonName::Counts
        } else {
            CommonName::Ignored
        })
    }

    /// Verifies a certificate that one of the own authorities has signed without another certificate in between.
    fn verify_direct(
        &self,
        certificate: &Certificate<'_>,
        now: UnixTime,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<CommonName, Fault> {
        let signers = self.own.iter().filter_map(|der| Certificate::read(der));
        let mut signers = signers.filter(|signer| {
            signer.subject == certificate.issuer
                && signer.is_authority()
                && !signer.has_name_constraints()
                && is_valid(signer.der, now)
        });
        if signers.any(|signer| is_signed_by(certificate, &signer, algorithms)) {
            check_itself(certificate, now)?;
            return Ok(CommonName::Counts);
        }
        Err(self.fault(certificate, &webpki::Error::UnknownIssuer, now))
    }

    /// What an error means for the user.
    fn fault(&self, certificate: &Certificate<'_>, error: &webpki::Error, now: UnixTime) -> Fault {
        match error {
            webpki::Error::CertExpired { .. } if has_expired(certificate, now) => Fault::Expired,
            webpki::Error::CertExpired { .. } => Fault::ExpiredAuthority,
            webpki::Error::CertNotValidYet { .. } => Fault::NotYetValid,
            // The second: an authority of this name has another key.
            webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => {
                let mut signers = self.own.iter().filter_map(|der| Certificate::read(der));
                let known = signers.any(|signer| {
                    signer.subject == certificate.issuer && has_expired(&signer, now)
                });
                if known {
                    Fault::ExpiredAuthority
                } else if certificate.is_self_issued() {
                    Fault::SelfSigned
                } else if self.given {
                    Fault::NotGiven
                } else {
                    Fault::NotTrusted
                }
            }
            webpki::Error::RequiredEkuNotFoundContext(_) => Fault::not_for_servers(),
            webpki::Error::UnsupportedSignatureAlgorithmContext(_)
            | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                Fault::Unusable("its signature is of a kind that is not supported".to_owned())
            }
            error => Fault::Unusable(error.to_string()),
        }
    }
}

/// Checks what does not depend on the authority.
fn check_itself(certificate: &Certificate<'_>, now: UnixTime) -> Result<(), Fault> {
    let Some(validity) = certificate.validity() else {
        return Err(Fault::Unusable("its dates cannot be read".to_owned()));
    };
    if !validity.includes(seconds(now)) {
        return Err(if has_expired(certificate, now) {
            Fault::Expired
        } else {
            Fault::NotYetValid
        });
    }
    if !certificate.is_for_servers() {
        return Err(Fault::not_for_servers());
    }
    Ok(())
}

fn is_signed_by(
    certificate: &Certificate<'_>,
    signer: &Certificate<'_>,
    algorithms: WebPkiSupportedAlgorithms,
) -> bool {
    let key = signer.public_key();
    let Ok(key) = RawPublicKeyEntity::try_from(&key) else {
        return false;
    };
    let mut candidates = algorithms
        .all
        .iter()
        .filter(|algorithm| *algorithm.signature_alg_id() == *certificate.algorithm);
    candidates.any(|algorithm| {
        let verified = key.verify_signature(*algorithm, certificate.signed, certificate.signature);
        verified.is_ok()
    })
}

fn is_valid(der: &[u8], now: UnixTime) -> bool {
    let validity = Certificate::read(der).and_then(|read| read.validity());
    validity.is_some_and(|validity| validity.includes(seconds(now)))
}

fn has_expired(certificate: &Certificate<'_>, now: UnixTime) -> bool {
    let validity = certificate.validity();
    validity.is_some_and(|validity| validity.not_after < seconds(now))
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
