//! The URLs that hosting services and other packages publish, and what the store makes of them.

// Names of services and hosts: cspell:disable

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{MySql, Postgres};

use crate::config::ConnectionConfig;

use super::Connect;
use super::parameters::{Parameter, Parameters, folded};

pub fn connection(url: &str) -> ConnectionConfig {
    ConnectionConfig {
        url: url.to_owned(),
        prepared_statements: true,
        shared_file: false,
        causal_reads: true,
        file_mode: 0o600,
    }
}

fn postgres(url: &str) -> PgConnectOptions {
    let target = Postgres::target(&connection(url), 5);
    target
        .map_err(|error| format!("{url}: {error}"))
        .unwrap()
        .hosts
        .remove(0)
        .options
}

fn mysql(url: &str) -> MySqlConnectOptions {
    let target = MySql::target(&connection(url), 5);
    target
        .map_err(|error| format!("{url}: {error}"))
        .unwrap()
        .hosts
        .remove(0)
        .options
}

#[test]
fn postgres_urls() {
    for (url, expected) in [
        // Heroku
        (
            "postgres://u:p@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d1",
            "u ec2-1-2-3-4.compute-1.amazonaws.com:5432 d1 Prefer",
        ),
        // Render
        (
            "postgresql://u:p@dpg-c1-a.oregon-postgres.render.com/d1",
            "u dpg-c1-a.oregon-postgres.render.com:5432 d1 Prefer",
        ),
        // Railway
        (
            "postgresql://postgres:p@postgres.railway.internal:5432/railway",
            "postgres postgres.railway.internal:5432 railway Prefer",
        ),
        // Supabase, directly, through its pooler for Prisma, and as Vercel has it
        (
            "postgresql://postgres:p@db.ref.supabase.co:5432/postgres",
            "postgres db.ref.supabase.co:5432 postgres Prefer",
        ),
        (
            "postgres://postgres.ref:p@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true&connection_limit=1",
            "postgres.ref aws-0-eu-central-1.pooler.supabase.com:6543 postgres Prefer",
        ),
        (
            "postgres://postgres.ref:p@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?sslmode=require&supa=base-pooler.x",
            "postgres.ref aws-0-eu-central-1.pooler.supabase.com:6543 postgres Require",
        ),
        // Neon, with and without support for SNI
        (
            "postgresql://alex:p@ep-cool-1-pooler.us-east-2.aws.neon.tech/neondb?sslmode=require&channel_binding=require",
            "alex ep-cool-1-pooler.us-east-2.aws.neon.tech:5432 neondb Require",
        ),
        (
            "postgresql://alex:p@ep-cool-1.us-east-2.aws.neon.tech/neondb?sslmode=require&options=endpoint%3Dep-cool-1",
            "alex ep-cool-1.us-east-2.aws.neon.tech:5432 neondb Require endpoint=ep-cool-1",
        ),
        // PlanetScale
        (
            "postgresql://pscale_api_x.y:p@horizon.psdb.cloud:6432/postgres?sslmode=verify-full&sslrootcert=system",
            "pscale_api_x.y horizon.psdb.cloud:6432 postgres VerifyFull",
        ),
        // RDS
        (
            "postgres://u:p@db.c1.us-east-1.rds.amazonaws.com:5432/d1?sslmode=verify-full&sslrootcert=/certs/global-bundle.pem",
            "u db.c1.us-east-1.rds.amazonaws.com:5432 d1 VerifyFull",
        ),
        (
            "postgres://u:p@db.c1.us-east-1.rds.amazonaws.com/d1?ssl=true",
            "u db.c1.us-east-1.rds.amazonaws.com:5432 d1 VerifyFull",
        ),
        // Azure
        (
            "postgres://u%40server:p@server.postgres.database.azure.com:5432/d1?sslmode=require",
            "u@server server.postgres.database.azure.com:5432 d1 Require",
        ),
        (
            "postgres://u@server:p@server.postgres.database.azure.com:5432/d1?ssl=true",
            "u@server server.postgres.database.azure.com:5432 d1 VerifyFull",
        ),
        // DigitalOcean
        (
            "postgresql://doadmin:p@db-postgresql-nyc1-1-do-user-1-0.b.db.ondigitalocean.com:25060/defaultdb?sslmode=require",
            "doadmin db-postgresql-nyc1-1-do-user-1-0.b.db.ondigitalocean.com:25060 defaultdb Require",
        ),
        // Aiven
        (
            "postgres://avnadmin:p@pg-1.a.aivencloud.com:12691/defaultdb?sslmode=require",
            "avnadmin pg-1.a.aivencloud.com:12691 defaultdb Require",
        ),
        // Fly
        (
            "postgres://shop:p@shop-db.flycast:5432/shop?sslmode=disable",
            "shop shop-db.flycast:5432 shop Disable",
        ),
        (
            "postgres://shop:p@[fdaa:0:1::3]:5432/shop?sslmode=disable",
            "shop fdaa:0:1::3:5432 shop Disable",
        ),
        // Google Cloud SQL
        (
            "postgres://u:p@/d1?host=/cloudsql/project:region:instance&sslmode=require",
            "u /cloudsql/project:region:instance d1 Disable",
        ),
        // Heroku and others with node-postgres, Prisma, JDBC
        (
            "postgres://u:p@h/d1?ssl=true&sslmode=no-verify",
            "u h:5432 d1 Require",
        ),
        (
            "postgresql://u:p@h:5432/d1?schema=public&connect_timeout=15&pool_timeout=15&socket_timeout=3",
            "u h:5432 d1 Prefer",
        ),
        (
            "postgresql://u:p@h:5432/d1?statement_timeout=500&application_name=shop",
            "u h:5432 d1 Prefer -c statement_timeout=500",
        ),
    ] {
        let options = postgres(url);
        let place = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let read = format!(
            "{} {place} {} {:?} {}",
            options.get_username(),
            options.get_database().unwrap(),
            options.get_ssl_mode(),
            options.get_options().unwrap_or_default(),
        );
        assert_eq!(read.trim_end(), expected, "{url}");
    }
}

#[test]
fn mysql_urls() {
    for (url, expected) in [
        // Heroku's ClearDB and JawsDB
        (
            "mysql://b1:p@us-cdbr-east-06.cleardb.net/heroku_1?reconnect=true",
            "b1 us-cdbr-east-06.cleardb.net:3306 heroku_1 Preferred",
        ),
        (
            "mysql://u:p@x.us-east-1.rds.amazonaws.com:3306/d1",
            "u x.us-east-1.rds.amazonaws.com:3306 d1 Preferred",
        ),
        // Railway
        (
            "mysql://root:p@mysql.railway.internal:3306/railway",
            "root mysql.railway.internal:3306 railway Preferred",
        ),
        // PlanetScale, for mysql2 and for Prisma
        (
            r#"mysql://u:pscale_pw_x@aws.connect.psdb.cloud/d1?ssl={"rejectUnauthorized":true}"#,
            "u aws.connect.psdb.cloud:3306 d1 VerifyIdentity",
        ),
        (
            "mysql://u:pscale_pw_x@aws.connect.psdb.cloud/d1?sslaccept=strict",
            "u aws.connect.psdb.cloud:3306 d1 VerifyIdentity",
        ),
        // RDS
        (
            "mysql://u:p@db.c1.us-east-1.rds.amazonaws.com:3306/d1?ssl-mode=VERIFY_IDENTITY&ssl-ca=/certs/global-bundle.pem",
            "u db.c1.us-east-1.rds.amazonaws.com:3306 d1 VerifyIdentity",
        ),
        // Azure, also as for JDBC
        (
            "mysql://u:p@server.mysql.database.azure.com:3306/d1?ssl-mode=REQUIRED",
            "u server.mysql.database.azure.com:3306 d1 Required",
        ),
        (
            "mysql://u:p@server.mysql.database.azure.com:3306/d1?useSSL=true&requireSSL=false&serverTimezone=UTC",
            "u server.mysql.database.azure.com:3306 d1 Required",
        ),
        // DigitalOcean
        (
            "mysql://doadmin:p@db-mysql-nyc1-1-do-user-1-0.b.db.ondigitalocean.com:25060/defaultdb?ssl-mode=REQUIRED",
            "doadmin db-mysql-nyc1-1-do-user-1-0.b.db.ondigitalocean.com:25060 defaultdb Required",
        ),
        // Aiven
        (
            "mysql://avnadmin:p@mysql-1.a.aivencloud.com:12691/defaultdb?ssl-mode=REQUIRED",
            "avnadmin mysql-1.a.aivencloud.com:12691 defaultdb Required",
        ),
        // Google Cloud SQL
        (
            "mysql://u:p@localhost/d1?socketPath=/cloudsql/project:region:instance",
            "u /cloudsql/project:region:instance d1 Disabled",
        ),
        ("mysql://u:p@[::1]/d1", "u ::1:3306 d1 Disabled"),
    ] {
        let options = mysql(url);
        let place = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let read = format!(
            "{} {place} {} {:?}",
            options.get_username(),
            options.get_database().unwrap(),
            options.get_ssl_mode(),
        );
        assert_eq!(read, expected, "{url}");
    }
}

#[test]
fn several_servers() {
    let names = |url: &str| -> Vec<String> {
        let connection = connection(url);
        if url.starts_with("mysql:") {
            let hosts = MySql::target(&connection, 5).unwrap().hosts;
            return hosts.into_iter().map(|host| host.name).collect();
        }
        let hosts = Postgres::target(&connection, 5).unwrap().hosts;
        hosts.into_iter().map(|host| host.name).collect()
    };
    for (url, expected) in [
        (
            "mysql://u:p@h1:1,h2,[::1]:3/d",
            &["h1:1", "h2:3306", "[::1]:3"][..],
        ),
        ("postgres://u:p@h1:1,h2:2/d", &["h1:1", "h2:2"]),
        ("postgres://h1,h2:2/d?port=5", &["h1:5", "h2:5"]),
        (
            "postgres:///d?host=h1,::1,/run/pg&port=1,2,3",
            &["h1:1", "[::1]:2", "/run/pg"],
        ),
    ] {
        assert_eq!(names(url), expected, "{url}");
    }
    let target = |query: &str| {
        let connection = connection(&format!("postgres://h1,h2/d?{query}"));
        Postgres::target(&connection, 5).unwrap()
    };
    assert!(target("target_session_attrs=read-write").only_writable);
    assert!(target("target_session_attrs=Primary").only_writable);
    assert!(!target("target_session_attrs=any").only_writable);
    assert_eq!(target("load_balance_hosts=random").hosts.len(), 2);
}

#[test]
fn parameters_for_the_store() {
    let read = |query: &str, table: &[Parameter]| {
        Parameters::read(&format!("x://h/d?{query}"), table).unwrap()
    };
    let postgres = super::postgres::PARAMETERS;
    let prisma = read("schema=shop&pgbouncer=true&connection_limit=1", postgres);
    assert_eq!(prisma.schema.as_deref(), Some("shop"));
    assert_eq!(prisma.prepared_statements, Some(false));
    assert_eq!(prisma.max_connections, Some(1));
    for query in [
        "statement_cache_size=0",
        "prepareThreshold=0",
        "prepared_statements=false",
    ] {
        assert_eq!(read(query, postgres).prepared_statements, Some(false));
    }
    for query in [
        "pgbouncer=false",
        "statement-cache-capacity=50",
        "color=red",
    ] {
        assert_eq!(read(query, postgres).prepared_statements, None);
    }
    let mysql = read("connectionLimit=3", super::mysql::PARAMETERS);
    assert_eq!(mysql.max_connections, Some(3));
}

#[test]
fn parameters_that_cannot_be_heeded() {
    let refused = |query: &str, table: &[Parameter]| {
        Parameters::read(&format!("x://h/d?{query}"), table).unwrap_err()
    };
    for query in [
        "target_session_attrs=read-only",
        "target_session_attrs=prefer-standby",
        "load_balance_hosts=often",
        "replication=database",
        "client_encoding=latin1",
        "service=shop",
        "socketPath=/run/x.sock",
        "require_auth=scram-sha-256",
        "gssencmode=require",
        "connection_limit=0",
        "sslnegotiation=direct",
        "ssl_min_protocol_version=TLSv1.3",
    ] {
        let message = refused(query, super::postgres::PARAMETERS).message;
        let name = query.split('=').next().unwrap();
        assert!(message.contains(&format!("`{name}`")), "{message}");
    }
    for query in [
        "timezone=%2B02:00",
        "user=ada",
        "schema=shop",
        "tls-version=TLSv1.3",
        "connectionLimit=none",
    ] {
        let message = refused(query, super::mysql::PARAMETERS).message;
        let name = query.split('=').next().unwrap();
        assert!(message.contains(&format!("`{name}`")), "{message}");
    }
}

#[test]
fn every_name_means_one_thing() {
    for table in [super::postgres::PARAMETERS, super::mysql::PARAMETERS] {
        let names = table.iter().flat_map(|parameter| parameter.names);
        let mut names: Vec<_> = names.map(|name| folded(name)).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
