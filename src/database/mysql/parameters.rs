//! The parameters of the URLs of MySQL and MariaDB: those of the servers' own programs, and of mysql2, Prisma and JDBC.

use crate::database::parameters::{Meaning, Parameter};

/// A table entry.
const fn p(names: &'static [&'static str], meaning: Meaning) -> Parameter {
    Parameter { names, meaning }
}

// Words of other programs: cspell:disable
pub static PARAMETERS: &[Parameter] = &[
    // The connection.
    p(
        &["socket", "socketPath", "unix_socket"],
        Meaning::Driver("socket"),
    ),
    p(
        &["user", "username", "password", "host", "port", "database"],
        Meaning::Refused("write it as in `mysql://user:password@host:3306/database`"),
    ),
    // TLS.
    p(&["ssl-mode"], Meaning::TlsMode),
    p(&["ssl", "tls"], Meaning::Tls),
    p(&["ssl-ca", "sslrootcert"], Meaning::Authority),
    p(&["ssl-cert"], Meaning::Certificate),
    p(&["ssl-key"], Meaning::Key),
    p(
        &[
            "sslaccept",
            "ssl-verify-server-cert",
            "rejectUnauthorized",
            "verifyServerCertificate",
        ],
        Meaning::Verify,
    ),
    p(&["requireSSL"], Meaning::RequiredTls),
    p(&["useSSL"], Meaning::UnverifiedTls),
    p(
        &["tls-version", "tls-versions", "enabledTLSProtocols"],
        Meaning::Only(
            &["TLSv1.2,TLSv1.3", "TLSv1.3,TLSv1.2", "TLSv1.2, TLSv1.3"],
            "the store uses TLS 1.2 or 1.3; supported: TLSv1.2,TLSv1.3",
        ),
    ),
    // What options of the store say otherwise.
    p(
        &["timezone", "serverTimezone", "connectionTimeZone"],
        Meaning::Only(
            &["Z", "UTC", "GMT", "+00:00", " 00:00", "+0000", "Etc/UTC"],
            "give the zone of dates as option `timezone` of the store",
        ),
    ),
    p(
        &["schema"],
        Meaning::Refused("name the database in the path of the URL, or use option `schema`"),
    ),
    p(&["connection_limit"], Meaning::MaxConnections),
    p(
        &["statement_cache_size", "statement-cache-capacity"],
        Meaning::PreparedStatements,
    ),
    // The text of sessions is in full Unicode in any case.
    p(
        &[
            "charset",
            "collation",
            "characterEncoding",
            "connectionCollation",
            "useUnicode",
        ],
        Meaning::Ignored,
    ),
    // Times and numbers that the option `pool` decides, and settings of other drivers that mean nothing here.
    p(
        &[
            "connect_timeout",
            "socket_timeout",
            "pool_timeout",
            "acquireTimeout",
            "waitForConnections",
            "queueLimit",
            "reconnect",
            "multipleStatements",
            "dateStrings",
            "supportBigNumbers",
            "bigNumberStrings",
            "decimalNumbers",
            "allowPublicKeyRetrieval",
        ],
        Meaning::Ignored,
    ),
];
