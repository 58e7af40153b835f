use super::reasons::REASONS;
use super::*;
use spin_sdk::pg4::DbError;

const CONNECTING: &str = "error connecting to server";
const HANDSHAKE: &str = "error performing TLS handshake";
const TALKING: &str = "error communicating with the server";

/// The text of an error as Spin 3.6.3 makes it: every layer quotes those below it.
fn as_spin_3_writes(place: &str, cause: &str) -> String {
    let below = cause.replace('\n', "\n       ");
    format!(
        "Error occurred while creating a new object: {place}: {cause}\n\nCaused by:\n    0: {place}: {below}\n    1: {below}"
    )
}

/// The same with a newer driver, as in this project's own host.
fn as_a_newer_driver_writes(place: &str, cause: &str) -> String {
    let below = cause.replace('\n', "\n       ");
    format!(
        "Error occurred while creating a new object: {place}\n\nCaused by:\n    0: {place}\n    1: {below}"
    )
}

fn logged(text: &str) -> String {
    match connection_error(PgError::ConnectionFailed(text.to_owned())) {
        StatementError::NoConnection(sentence) => sentence,
        other => panic!("{other}"),
    }
}

fn text(text: &str) -> PgError {
    PgError::QueryFailed(QueryError::Text(text.to_owned()))
}

fn refusal(sqlstate: &str, message: &str, constraint: Option<&str>) -> StatementError {
    StatementError::Refused {
        sqlstate: sqlstate.to_owned(),
        message: message.to_owned(),
        constraint: constraint.map(str::to_owned),
    }
}

/// What a real Spin 3.6.3 said, word for word.
#[test]
fn what_spin_was_heard_to_say_is_understood() {
    for (spin, part) in [
        (
            "Error occurred while creating a new object: db error: FATAL: role \"nologin\" is not permitted to log in\n\nCaused by:\n    0: db error: FATAL: role \"nologin\" is not permitted to log in\n    1: FATAL: role \"nologin\" is not permitted to log in",
            "NOLOGIN",
        ),
        (
            "Error occurred while creating a new object: db error: FATAL: permission denied for database \"noconn\"\nDETAIL: User does not have CONNECT privilege.\n\nCaused by:\n    0: db error: FATAL: permission denied for database \"noconn\"\n       DETAIL: User does not have CONNECT privilege.\n    1: FATAL: permission denied for database \"noconn\"\n       DETAIL: User does not have CONNECT privilege.",
            "may not CONNECT",
        ),
        (
            "Error occurred while creating a new object: db error: FATAL: aucune entrée dans pg_hba.conf pour l'hôte « 127.0.0.1 », utilisateur « app »,\nbase de données « id », aucun chiffrement\n\nCaused by:\n    0: db error: FATAL: aucune entrée dans pg_hba.conf pour l'hôte « 127.0.0.1 », utilisateur « app »,\n       base de données « id », aucun chiffrement\n    1: FATAL: aucune entrée dans pg_hba.conf pour l'hôte « 127.0.0.1 », utilisateur « app »,\n       base de données « id », aucun chiffrement",
            "without TLS",
        ),
        (
            "Error occurred while creating a new object: error performing TLS handshake: error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (hostname mismatch)\n\nCaused by:\n    0: error performing TLS handshake: error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (hostname mismatch)\n    1: error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (hostname mismatch)\n    2: error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889:",
            "not for the host name",
        ),
        (
            "Error occurred while creating a new object: connection closed\n\nCaused by:\n    connection closed",
            "the connection broke",
        ),
        (
            "Error occurred while creating a new object: error connecting to server: Connection refused (os error 111)\n\nCaused by:\n    0: error connecting to server: Connection refused (os error 111)\n    1: Connection refused (os error 111)\n\nStack backtrace:\n   0: <unknown>\n   1: <unknown>",
            "connection refused",
        ),
        ("address postgres://127.0.0.1:1 is not permitted", "allowed_outbound_hosts"),
        ("invalid connection string: invalid value for option `sslmode`", "no connection string"),
        ("Unix sockets are not supported on WebAssembly", "unix socket"),
    ] {
        let sentence = logged(spin);
        assert!(sentence.contains(part), "{spin}\nis told as: {sentence}");
    }
}

/// Where it goes wrong, in which words, and what of the sentence shows that it is the right one. All of these were heard,
/// from PostgreSQL 15, PgBouncer 1.18, OpenSSL and Linux, with other names.
const HEARD: [(&str, &str, &str); 67] = [
    ("invalid configuration", "password missing", "has no password"),
    ("invalid configuration", "both host and hostaddr are missing", "no connection string"),
    (CONNECTING, "Connection refused (os error 111)", "connection refused"),
    (CONNECTING, "connection timed out", "timed out"),
    (CONNECTING, "failed to lookup address information: Name or service not known", "does not resolve"),
    (CONNECTING, "database does not allow writes", "target_session_attrs"),
    (CONNECTING, "database is not read only", "target_session_attrs"),
    (TALKING, "Connection reset by peer (os error 104)", "the connection broke"),
    (TALKING, "early eof", "the connection broke"),
    (TALKING, "bytes remaining on stream", "no PostgreSQL"),
    ("error parsing response from server", "failed to fill whole buffer", "no PostgreSQL"),
    (HANDSHAKE, "server does not support TLS", "has no TLS"),
    (
        HANDSHAKE,
        "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (self-signed certificate)",
        "not trusted here",
    ),
    (
        HANDSHAKE,
        "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (unable to get local issuer certificate)",
        "not trusted here",
    ),
    (
        HANDSHAKE,
        "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (certificate has expired)",
        "has expired",
    ),
    (
        HANDSHAKE,
        "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (hostname mismatch)",
        "not for the host name",
    ),
    (
        HANDSHAKE,
        "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (IP address mismatch)",
        "not for the host name",
    ),
    (
        HANDSHAKE,
        "error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record/ssl3_record.c:350:",
        "handshake with PostgreSQL failed",
    ),
    (SERVER, "FATAL: role \"s3cret\" is not permitted to log in", "NOLOGIN"),
    (SERVER, "FATAL: password authentication failed for user \"s3cret\"", "refused the password"),
    (SERVER, "FATAL: database \"s3cret\" does not exist", "no such database"),
    (
        SERVER,
        "FATAL: permission denied for database \"s3cret\"\nDETAIL: User does not have CONNECT privilege.",
        "may not CONNECT",
    ),
    (SERVER, "FATAL: too many connections for role \"s3cret\"", "LIMIT of the role"),
    (SERVER, "FATAL: too many connections for database \"s3cret\"", "LIMIT of the database"),
    (SERVER, "FATAL: database \"s3cret\" is not currently accepting connections", "takes no connections"),
    (
        SERVER,
        "FATAL: cannot connect to invalid database \"s3cret\"\nHINT: Use DROP DATABASE to drop invalid databases.",
        "takes no connections",
    ),
    (SERVER, "FATAL: unrecognized configuration parameter \"s3cret\"", "setting in the options"),
    (
        SERVER,
        "FATAL: invalid value for parameter \"default_transaction_isolation\": \"s3cret\"\nHINT: Available values: serializable, repeatable read, read committed, read uncommitted.",
        "setting in the options",
    ),
    (SERVER, "FATAL: permission denied to set parameter \"lc_messages\"", "setting in the options"),
    (
        SERVER,
        "FATAL: parameter \"max_connections\" cannot be changed without restarting the server",
        "setting in the options",
    ),
    (
        SERVER,
        "FATAL: invalid command-line argument for server process: s3cret\nHINT: Try \"postgres --help\" for more information.",
        "setting in the options",
    ),
    (
        SERVER,
        "FATAL: remaining connection slots are reserved for non-replication superuser connections",
        "max_connections",
    ),
    (SERVER, "FATAL: sorry, too many clients already", "max_connections"),
    (SERVER, "FATAL: the database system is shutting down", "shutting down"),
    (
        SERVER,
        "FATAL: the database system is not accepting connections\nDETAIL: Hot standby mode is disabled.",
        "a standby",
    ),
    (SERVER, "FATAL: the database system is starting up", "starting up"),
    (
        SERVER,
        "FATAL: no pg_hba.conf entry for host \"127.0.0.1\", user \"s3cret\", database \"s3cret\", no encryption",
        "without TLS",
    ),
    (
        SERVER,
        "FATAL: pg_hba.conf rejects connection for host \"127.0.0.1\", user \"s3cret\", database \"s3cret\", no encryption",
        "without TLS",
    ),
    (SERVER, "FATAL: Ident authentication failed for user \"s3cret\"", "another proof"),
    (SERVER, "FATAL: role \"s3cret\" does not exist", "refused the password"),
    (SERVER, "FATAL: le rôle « s3cret » n'est pas autorisé à se connecter", "NOLOGIN"),
    (
        SERVER,
        "FATAL: authentification par mot de passe échouée pour l'utilisateur  « s3cret »",
        "refused the password",
    ),
    (SERVER, "FATAL: la base de données « s3cret » n'existe pas", "no such database"),
    (
        SERVER,
        "FATAL: droit refusé pour la base de données « s3cret »\nDETAIL: L'utilisateur n'a pas le droit CONNECT.",
        "may not CONNECT",
    ),
    (SERVER, "FATAL: trop de connexions pour le rôle « s3cret »", "LIMIT of the role"),
    (SERVER, "FATAL: trop de connexions pour la base de données « s3cret »", "LIMIT of the database"),
    (SERVER, "FATAL: la base de données « s3cret » n'accepte plus les connexions", "takes no connections"),
    (SERVER, "FATAL: paramètre de configuration « s3cret » non reconnu", "setting in the options"),
    (
        SERVER,
        "FATAL: valeur invalide pour le paramètre « default_transaction_isolation » : « s3cret »\nHINT: Available values: serializable, repeatable read, read committed, read uncommitted.",
        "setting in the options",
    ),
    (SERVER, "FATAL: droit refusé pour initialiser le paramètre « lc_messages »", "setting in the options"),
    (
        SERVER,
        "FATAL: le paramètre « max_connections » ne peut pas être modifié sans redémarrer le serveur",
        "setting in the options",
    ),
    (
        SERVER,
        "FATAL: argument invalide en ligne de commande pour le processus serveur : s3cret\nHINT: Essayez « postgres --help » pour plus d'informations.",
        "setting in the options",
    ),
    (
        SERVER,
        "FATAL: les emplacements de connexions restants sont réservés pour les connexions\nsuperutilisateur non relatif à la réplication",
        "max_connections",
    ),
    (SERVER, "FATAL: désolé, trop de clients sont déjà connectés", "max_connections"),
    (SERVER, "FATAL: le système de base de données s'arrête", "shutting down"),
    (
        SERVER,
        "FATAL: le système de bases de données n'accepte pas de connexions\nDETAIL: Le mode Hot Standby est désactivé",
        "a standby",
    ),
    (SERVER, "FATAL: le système de bases de données se lance", "starting up"),
    (
        SERVER,
        "FATAL: aucune entrée dans pg_hba.conf pour l'hôte « 127.0.0.1 », utilisateur « s3cret »,\nbase de données « s3cret », aucun chiffrement",
        "without TLS",
    ),
    (
        SERVER,
        "FATAL: pg_hba.conf rejette la connexion pour l'hôte « 127.0.0.1 », utilisateur « s3cret », base\nde données « s3cret », aucun chiffrement",
        "without TLS",
    ),
    (SERVER, "FATAL: Échec de l'authentification Ident pour l'utilisateur « s3cret »", "another proof"),
    (SERVER, "FATAL: le rôle « s3cret » n'existe pas", "refused the password"),
    (SERVER, "FATAL: unsupported startup parameter: options", "PgBouncer refuses"),
    (SERVER, "FATAL: SASL authentication failed", "refused the password"),
    (SERVER, "FATAL: no such database: s3cret", "no such database"),
    (SERVER, "FATAL: no more connections allowed (max_client_conn)", "limit for its clients"),
    (SERVER, "FATAL: query_wait_timeout", "had no connection"),
    (SERVER, "FATAL: client_login_timeout (server down)", "had no connection"),
];

#[test]
fn what_is_logged_about_a_connection_never_quotes_the_connection_string() {
    for (place, cause, part) in HEARD {
        for spin in [as_spin_3_writes(place, cause), as_a_newer_driver_writes(place, cause)] {
            let sentence = logged(&spin);
            assert!(sentence.contains(part), "{spin}\nis told as: {sentence}");
            assert!(!sentence.contains("s3cret"), "{sentence}");
        }
    }
}

/// As a server sends it whose own locale has no accents (C), and one whose locale is in Latin 1, where what arrives is no
/// UTF-8 and the driver puts a sign in its place.
#[test]
fn french_is_understood_whatever_became_of_its_accents() {
    let french = HEARD.iter().filter(|(_, cause, _)| !cause.is_ascii());
    assert!(french.clone().count() > 15);
    for (place, cause, part) in french {
        let other_than_ascii = |character: char| !character.is_ascii();
        let in_c = cause.replace('«', "<<").replace('»', ">>").replace(other_than_ascii, "?");
        let in_latin_1 = cause.replace(other_than_ascii, "\u{fffd}");
        for cause in [in_c, in_latin_1] {
            let sentence = logged(&as_spin_3_writes(place, &cause));
            assert!(sentence.contains(part), "{cause}\nis told as: {sentence}");
        }
    }
}

#[test]
fn every_text_of_the_table_is_told_by_its_own_sentence() {
    for (place, reasons) in REASONS {
        for (sentence, texts) in reasons {
            for pattern in *texts {
                let cause = pattern.replace("%s", "x");
                let spin = match place {
                    "" => cause,
                    SERVER => as_spin_3_writes(place, &format!("FATAL: {cause}")),
                    _ => as_spin_3_writes(place, &cause),
                };
                assert_eq!(logged(&spin), *sentence, "{spin}");
            }
        }
    }
}

#[test]
fn a_name_is_taken_for_a_name_whatever_it_says() {
    for (place, cause, part) in [
        (SERVER, "FATAL: database \"x is not permitted\" does not exist", "no such database"),
        (SERVER, "FATAL: database \"the database system is starting up\" does not exist", "no such database"),
        (
            SERVER,
            "FATAL: database \"a\" is not currently accepting connections\" does not exist",
            "no such database",
        ),
        (SERVER, "FATAL: role \"a\" does not exist\" is not permitted to log in", "NOLOGIN"),
        (
            SERVER,
            "FATAL: password authentication failed for user \"sorry, too many clients already\"",
            "refused the password",
        ),
        (
            SERVER,
            "FATAL: no pg_hba.conf entry for host \"1.2.3.4\", user \"a\", database \"b, no encryption\", SSL encryption",
            "with TLS as well",
        ),
    ] {
        let sentence = logged(&as_spin_3_writes(place, cause));
        assert!(sentence.contains(part), "{cause}\nis told as: {sentence}");
    }
    let address = "address postgres://connection refused (os error 111):1 is not permitted";
    assert!(logged(address).starts_with("allowed_outbound_hosts"));
    let option =
        "invalid connection string: unknown option `db error: FATAL: sorry, too many clients already`";
    assert_eq!(logged(option), "pg_dsn is no connection string");
}

#[test]
fn a_text_that_is_not_known_as_a_whole_and_in_its_place_is_left_out() {
    for (place, cause) in [
        (SERVER, "FATAL: role \"app\" is not permitted to log in today"),
        (SERVER, "FATAL: the role \"app\" is not permitted to log in"),
        (SERVER, "FATAL: s3cret\nDETAIL: sorry, too many clients already"),
        (SERVER, "LOG: sorry, too many clients already"),
        (SERVER, "FATAL: Connection refused (os error 111)"),
        (SERVER, "FATAL: Passwort-Authentifizierung für Benutzer »s3cret« fehlgeschlagen"),
        (CONNECTING, "FATAL: sorry, too many clients already"),
        (CONNECTING, "sorry, too many clients already"),
        ("s3cret", "server does not support TLS"),
        ("authentication error", "s3cret"),
    ] {
        let sentence = logged(&as_spin_3_writes(place, cause));
        assert!(sentence.contains("left out"), "{place}: {cause}\nis told as: {sentence}");
    }
    for spin in ["s3cret", "", "sorry, too many clients already", "db error", "s3cret is not permitted"] {
        let sentence = logged(spin);
        assert!(sentence.contains("left out"), "{spin}\nis told as: {sentence}");
    }
}

#[test]
fn a_structured_error_keeps_its_sqlstate_and_constraint_and_loses_its_detail() {
    let error = DbError {
        as_text: "s3cret".to_owned(),
        severity: "ERROR".to_owned(),
        code: "23505".to_owned(),
        message: "duplicate key".to_owned(),
        detail: Some("Key (username)=(s3cret) already exists.".to_owned()),
        extras: vec![
            ("table".to_owned(), "account".to_owned()),
            ("constraint".to_owned(), "account_username_key".to_owned()),
        ],
    };
    let error = statement_error(PgError::QueryFailed(QueryError::DbError(error)));
    assert_eq!(error, refusal("23505", "duplicate key", Some("account_username_key")));
}

#[test]
fn a_data_exception_does_not_quote_the_data() {
    let error = refused("22P02".to_owned(), "invalid input syntax for type uuid: \"s3cret\"", None);
    assert!(!error.to_string().contains("s3cret"));
}

/// The texts as Spin 3.6.3 makes them: anyhow's `{:?}` of a tokio-postgres error.
#[test]
fn an_error_that_arrives_as_text_gets_its_sqlstate_back() {
    for (message, sqlstate, constraint) in [
        ("duplicate key value violates unique constraint \"one_draft\"", "23505", Some("one_draft")),
        (
            "la valeur d'une clé dupliquée rompt la contrainte unique « one_draft »",
            "23505",
            Some("one_draft"),
        ),
        (
            "insert or update on table \"session\" violates foreign key constraint \"session_credential\"",
            "23503",
            Some("session_credential"),
        ),
        (
            "update or delete on table \"a\" violates foreign key constraint \"b_a\" on table \"b\"",
            "23503",
            Some("b_a"),
        ),
        (
            "une instruction insert ou update sur la table « b » viole la contrainte de clé étrangère « b_a »",
            "23503",
            Some("b_a"),
        ),
        ("new row for relation \"account\" violates check constraint \"active\"", "23514", Some("active")),
        (
            "la nouvelle ligne de la relation « account » viole la contrainte de vérification « active »",
            "23514",
            Some("active"),
        ),
        ("null value in column \"id\" of relation \"account\" violates not-null constraint", "23502", None),
        ("could not serialize access due to concurrent update", "40001", None),
        ("n'a pas pu sérialiser un accès à cause d'une mise à jour en parallèle", "40001", None),
        ("deadlock detected", "40P01", None),
        ("interblocage (deadlock) détecté", "40P01", None),
        ("canceling statement due to statement timeout", "57014", None),
        ("annulation de la requête à cause du délai écoulé pour l'exécution de l'instruction", "57014", None),
        ("canceling statement due to lock timeout", "55P03", None),
        ("terminating connection due to administrator command", "57P01", None),
        ("permission denied for function login_load", "42501", None),
        ("cannot execute INSERT in a read-only transaction", "25006", None),
        ("ne peut pas exécuter INSERT dans une transaction en lecture seule", "25006", None),
    ] {
        let severity = if message.is_ascii() { "ERROR" } else { "ERREUR" };
        let spin = format!(
            "db error: {severity}: {message}\nDETAIL: Key (username)=(s3cret) already exists.\n\nCaused by:\n    {severity}: {message}\n    DETAIL: Key (username)=(s3cret) already exists."
        );
        assert_eq!(statement_error(text(&spin)), refusal(sqlstate, message, constraint));
        let newer = format!("db error\n\nCaused by:\n    {severity}: {message}\n    DETAIL: s3cret");
        assert_eq!(statement_error(text(&newer)), refusal(sqlstate, message, constraint));
    }
}

#[test]
fn a_text_that_is_not_known_is_not_repeated() {
    for unknown in [
        "db error: ERROR: value \"s3cret\" is out of range\n\nCaused by:\n    ERROR: value \"s3cret\" is out of range",
        "db error: FEHLER: s3cret\n\nCaused by:\n    FEHLER: s3cret",
        "db error\n\nCaused by:\n    ERROR: relation \"deadlock detected\" does not exist",
        "error retrieving column s3cret: ERROR: deadlock detected",
        "s3cret: connection closed",
        "s3cret",
    ] {
        let error = statement_error(text(unknown));
        assert!(matches!(&error, StatementError::Other(text) if !text.contains("s3cret")), "{error}");
    }
    for error in [
        PgError::BadParameter("s3cret".to_owned()),
        PgError::ValueConversionFailed("s3cret".to_owned()),
        PgError::Other("s3cret".to_owned()),
    ] {
        assert!(!statement_error(error).to_string().contains("s3cret"));
    }
}

#[test]
fn a_connection_that_broke_is_told_from_a_statement_that_failed() {
    for broken in [
        "Error { kind: Closed, cause: None }",
        "Error { kind: Io, cause: Some(Os { code: 104, kind: ConnectionReset, message: \"reset\" }) }",
        "connection closed",
        "error communicating with the server: Connection reset by peer (os error 104)\n\nCaused by:\n    Connection reset by peer (os error 104)",
    ] {
        assert!(matches!(statement_error(text(broken)), StatementError::NoConnection(_)), "{broken}");
    }
    let mismatch = "Error { kind: ToSql(0), cause: Some(WrongType { postgres: Int8, rust: \"Io\" }) }";
    assert!(statement_error(text(mismatch)).to_string().contains("type"));
}
