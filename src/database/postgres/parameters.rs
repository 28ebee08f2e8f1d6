//! The parameters of PostgreSQL's URLs: those of libpq, and of node-postgres, Prisma and JDBC.
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS>

use crate::database::parameters::{Meaning, Parameter};

/// A table entry.
const fn p(names: &'static [&'static str], meaning: Meaning) -> Parameter {
    Parameter { names, meaning }
}

// Words of other programs: cspell:disable
pub static PARAMETERS: &[Parameter] = &[
    // The connection.
    p(&["host", "hostaddr"], Meaning::Hosts),
    p(&["port"], Meaning::Ports),
    p(&["dbname"], Meaning::Driver("dbname")),
    p(&["user"], Meaning::Driver("user")),
    p(&["password"], Meaning::Driver("password")),
    p(&["options"], Meaning::Driver("options")),
    p(&["application_name"], Meaning::Driver("application_name")),
    p(
        &["socket", "socketPath", "unix_socket"],
        Meaning::Refused(
            "give the folder of the socket as `host`, such as `?host=/var/run/postgresql`",
        ),
    ),
    p(
        &["service", "servicefile", "passfile"],
        Meaning::Refused("write what the file says into the URL"),
    ),
    p(&["target_session_attrs"], Meaning::SessionAttributes),
    p(&["load_balance_hosts"], Meaning::LoadBalance),
    p(
        &["replication"],
        Meaning::Only(&["false", "off", "no", "0"], "remove it"),
    ),
    p(
        &["client_encoding"],
        Meaning::Only(
            &["utf8", "utf-8", "unicode", "auto"],
            "the store uses UTF8; remove the parameter",
        ),
    ),
    // TLS.
    p(&["sslmode"], Meaning::TlsMode),
    p(&["ssl", "tls"], Meaning::Tls),
    p(&["sslrootcert", "ssl-ca"], Meaning::Authority),
    p(&["sslcert"], Meaning::Certificate),
    p(&["sslkey"], Meaning::Key),
    p(&["sslaccept", "rejectUnauthorized"], Meaning::Verify),
    p(&["requireSSL"], Meaning::RequiredTls),
    p(&["useSSL"], Meaning::UnverifiedTls),
    p(
        &["sslnegotiation"],
        Meaning::Only(&["postgres"], "supported: postgres; remove the parameter"),
    ),
    p(
        &["ssl_min_protocol_version"],
        Meaning::Only(
            &["TLSv1", "TLSv1.1", "TLSv1.2"],
            "the store uses TLS 1.2 or 1.3; supported: TLSv1.2 and lower",
        ),
    ),
    p(
        &["ssl_max_protocol_version"],
        Meaning::Only(
            &["TLSv1.3"],
            "the store uses TLS 1.2 or 1.3; supported: TLSv1.3",
        ),
    ),
    p(&["sslcompression", "sslsni"], Meaning::Ignored),
    // The driver cannot bind a password to the channel; `verify-full` protects as well.
    p(&["channel_binding"], Meaning::Ignored),
    // The modes have the meaning of libpq in any case.
    p(&["uselibpqcompat"], Meaning::Ignored),
    p(
        &["gssencmode"],
        Meaning::Only(&["disable", "prefer"], "use TLS instead"),
    ),
    p(
        &[
            "require_auth",
            "requirepeer",
            "krbsrvname",
            "gsslib",
            "gssdelegation",
        ],
        Meaning::Refused("the store cannot guarantee it; use `sslmode=verify-full`"),
    ),
    // Settings of the session, which node-postgres and other drivers pass to the server.
    p(
        &["statement_timeout"],
        Meaning::Driver("options[statement_timeout]"),
    ),
    p(&["lock_timeout"], Meaning::Driver("options[lock_timeout]")),
    p(
        &["idle_in_transaction_session_timeout"],
        Meaning::Driver("options[idle_in_transaction_session_timeout]"),
    ),
    p(&["search_path"], Meaning::Driver("options[search_path]")),
    // What options of the store say otherwise.
    p(&["schema", "currentSchema"], Meaning::Schema),
    p(&["connection_limit"], Meaning::MaxConnections),
    p(&["portable"], Meaning::Portable),
    p(&["pgbouncer"], Meaning::NoPreparedStatements),
    p(
        &[
            "statement_cache_size",
            "statement-cache-capacity",
            "prepareThreshold",
            "prepared_statements",
            "prepare",
        ],
        Meaning::PreparedStatements,
    ),
    // Times and numbers that the options `pool` and `timezone` decide, and what hosting services add for their own use.
    p(
        &[
            "connect_timeout",
            "pool_timeout",
            "socket_timeout",
            "query_timeout",
            "keepalives",
            "keepalives_idle",
            "keepalives_interval",
            "keepalives_count",
            "tcp_user_timeout",
            "fallback_application_name",
            "timezone",
            "supa",
            "pool_mode",
        ],
        Meaning::Ignored,
    ),
];
