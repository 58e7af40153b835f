//! Why there is no connection: the sentence for the log, and the texts that it stands for.
//!
//! A sentence says what is to be done, and names nothing that the text names: that may be a mistyped connection string,
//! password and all. For the same reason, what is not listed is left out.

use super::text::{SERVER, Told, holes};

const LEFT_OUT: &str = "the reason is left out, because it might quote pg_dsn";
const UNREADABLE: &str = "pg_dsn is no connection string";
pub(super) const BROKE: &str = "the connection broke";
const NO_POSTGRESQL: &str = "what answers at the address in pg_dsn is no PostgreSQL, or was cut short";
const UNTRUSTED: &str = "PostgreSQL's certificate is not trusted here: its CA has to be one that this system knows (SSL_CERT_FILE, caCertSecret)";

/// A sentence, and the texts that it stands for.
type Reason = (&'static str, &'static [&'static str]);

/// For each place its reasons, of which the first that fits counts. PostgreSQL's texts are those of 15 to 18, English and
/// French, PgBouncer's those of 1.18 to 1.26, and the system's those of Linux.
pub(super) const REASONS: [(&str, &[Reason]); 10] = [
    // Texts without causes: the host's own, and two of the driver's.
    (
        "",
        &[
            (
                "allowed_outbound_hosts does not allow the address in pg_dsn (see pg_host, pg_port)",
                &["address postgres://%s is not permitted"],
            ),
            (UNREADABLE, &["invalid connection string", "invalid connection string: %s"]),
            (
                "pg_dsn names a unix socket, and components can reach none",
                &["Unix sockets are not supported on WebAssembly"],
            ),
            (
                "the project's own host reaches one server, by TCP, without TLS and hostaddr",
                &[
                    "this host has no TLS: sslmode must be disable or prefer",
                    "this host does not support hostaddr",
                    "this host connects to one server, by TCP",
                ],
            ),
            (BROKE, &["connection closed"]),
            (NO_POSTGRESQL, &["unexpected message from server"]),
        ],
    ),
    ("establishing PostgreSQL connection pool", &[(UNREADABLE, &["parsing Postgres connection string"])]),
    ("invalid configuration", &[("pg_dsn has no password", &["password missing"]), (UNREADABLE, &["%s"])]),
    (
        "error connecting to server",
        &[
            (
                "the host name in pg_dsn does not resolve",
                &["failed to lookup address information: %s", "could not resolve any addresses"],
            ),
            ("connection refused: nothing listens at the address in pg_dsn", &["%s (os error 111)"]),
            ("the connection timed out", &["connection timed out", "%s (os error 110)"]),
            ("there is no route to the address in pg_dsn", &["%s (os error 101)", "%s (os error 113)"]),
            (BROKE, &["%s (os error 104)"]),
            (
                "PostgreSQL is read-only or not, and target_session_attrs in pg_dsn asks for the opposite",
                &["database does not allow writes", "database is not read only"],
            ),
        ],
    ),
    (
        "error performing TLS handshake",
        &[
            (
                "PostgreSQL has no TLS, and pg_dsn asks for it (sslmode=require)",
                &["server does not support TLS"],
            ),
            (
                "PostgreSQL's certificate is not for the host name in pg_dsn",
                &[
                    "error:%s:certificate verify failed:%s (hostname mismatch)",
                    "error:%s:certificate verify failed:%s (Hostname mismatch)",
                    "error:%s:certificate verify failed:%s (IP address mismatch)",
                ],
            ),
            (
                "PostgreSQL's certificate has expired, or is not valid yet: renew it, or set the clock",
                &[
                    "error:%s:certificate verify failed:%s (certificate has expired)",
                    "error:%s:certificate verify failed:%s (certificate is not yet valid)",
                ],
            ),
            (UNTRUSTED, &["error:%s:certificate verify failed:%s"]),
            ("the TLS handshake with PostgreSQL failed", &["%s"]),
        ],
    ),
    (
        "error communicating with the server",
        &[(NO_POSTGRESQL, &["bytes remaining on stream", "invalid message length: %s"]), (BROKE, &["%s"])],
    ),
    ("error parsing response from server", &[(NO_POSTGRESQL, &["%s"])]),
    ("unexpected message from server", &[(NO_POSTGRESQL, &["%s"])]),
    (
        "authentication error",
        &[(
            "PostgreSQL asks for an authentication method that Spin does not support",
            &[
                "unsupported authentication method",
                "unsupported SASL mechanism",
                "server did not use channel binding",
            ],
        )],
    ),
    // PostgreSQL's own words, without their severity.
    (
        SERVER,
        &[
            (
                "PostgreSQL does not let the role in pg_dsn log in (NOLOGIN): identity-ops role mends it",
                &[
                    "role \"%s\" is not permitted to log in",
                    "le rôle « %s » n'est pas autorisé à se connecter",
                ],
            ),
            (
                "PostgreSQL refused the password in pg_dsn, or has no such role: identity-ops role sets both",
                &[
                    "password authentication failed for user \"%s\"",
                    "authentification par mot de passe échouée pour l'utilisateur « %s »",
                    "role \"%s\" does not exist",
                    "le rôle « %s » n'existe pas",
                    // PgBouncer's.
                    "password authentication failed",
                    "SASL authentication failed",
                    "no such user",
                    "no such user: %s",
                ],
            ),
            (
                "the role in pg_dsn may not CONNECT to this database: identity-ops role mends it",
                &["permission denied for database \"%s\"", "droit refusé pour la base de données « %s »"],
            ),
            (
                "PostgreSQL has no such database as pg_dsn names",
                &[
                    "database \"%s\" does not exist",
                    "la base de données « %s » n'existe pas",
                    "no such database: %s",
                ],
            ),
            (
                "this database takes no connections: it is closed (ALLOW_CONNECTIONS), or its removal was cut short",
                &[
                    "database \"%s\" is not currently accepting connections",
                    "la base de données « %s » n'accepte plus les connexions",
                    "cannot connect to invalid database \"%s\"",
                    "database \"%s\" is disabled",
                ],
            ),
            (
                "too many connections: PostgreSQL's max_connections is used up",
                &[
                    "sorry, too many clients already",
                    "désolé, trop de clients sont déjà connectés",
                    "remaining connection slots are reserved for non-replication superuser connections",
                    "les emplacements de connexions restants sont réservés pour les connexions \
                     superutilisateur non relatif à la réplication",
                    "remaining connection slots are reserved for roles with the %s attribute",
                    "remaining connection slots are reserved for roles with privileges of the \"%s\" role",
                ],
            ),
            (
                "too many connections: the CONNECTION LIMIT of the role in pg_dsn is used up",
                &["too many connections for role \"%s\"", "trop de connexions pour le rôle « %s »"],
            ),
            (
                "too many connections: the CONNECTION LIMIT of the database is used up",
                &[
                    "too many connections for database \"%s\"",
                    "trop de connexions pour la base de données « %s »",
                ],
            ),
            (
                "too many connections: PgBouncer's limit for its clients is used up (max_client_conn, max_db_client_connections, max_user_client_connections)",
                &[
                    "no more connections allowed (max_client_conn)",
                    "client connections exceeded (max_db_client_connections)",
                    "client connections exceeded (max_user_client_connections)",
                ],
            ),
            (
                "PgBouncer had no connection to PostgreSQL to give: PostgreSQL is down, or the pool is used up; its log says which",
                &[
                    "query_wait_timeout",
                    "client_login_timeout",
                    "client_login_timeout (server down)",
                    "server login failed: %s",
                    "server login has been failing, %s (server_login_retry)",
                ],
            ),
            (
                "PgBouncer refuses a startup parameter of pg_dsn, such as options",
                &[
                    "unsupported startup parameter: %s",
                    "unsupported startup parameter in options: %s",
                    "unsupported options startup parameter: %s",
                ],
            ),
            (
                "PostgreSQL refuses a setting in the options of pg_dsn",
                &[
                    "unrecognized configuration parameter \"%s\"",
                    "paramètre de configuration « %s » non reconnu",
                    "invalid value for parameter \"%s\": \"%s\"",
                    "valeur invalide pour le paramètre « %s » : « %s »",
                    "permission denied to set parameter \"%s\"",
                    "droit refusé pour initialiser le paramètre « %s »",
                    "parameter \"%s\" cannot be changed without restarting the server",
                    "le paramètre « %s » ne peut pas être modifié sans redémarrer le serveur",
                    "invalid command-line argument for server process: %s",
                    "argument invalide en ligne de commande pour le processus serveur : %s",
                ],
            ),
            (
                "PostgreSQL is starting up, or recovers from a crash",
                &[
                    "the database system is starting up",
                    "le système de bases de données se lance",
                    "the database system is not yet accepting connections",
                    "le système de bases de données n'accepte pas encore de connexions",
                    "the database system is in recovery mode",
                    "le système de bases de données est en cours de restauration",
                ],
            ),
            (
                "PostgreSQL is shutting down",
                &[
                    "the database system is shutting down",
                    "le système de base de données s'arrête",
                    "terminating connection due to administrator command",
                    "arrêt des connexions suite à la demande de l'administrateur",
                    "pooler is shutting down",
                    "server shutting down",
                ],
            ),
            (
                "PostgreSQL is a standby that takes no connections: pg_dsn has to name the primary",
                &[
                    "the database system is not accepting connections",
                    "le système de bases de données n'accepte pas de connexions",
                ],
            ),
            (
                "PostgreSQL's pg_hba.conf refuses this client without TLS: pg_dsn needs sslmode=require, or pg_hba.conf a line for it",
                &[
                    "no pg_hba.conf entry for host \"%s\", no encryption",
                    "aucune entrée dans pg_hba.conf pour l'hôte « %s », aucun chiffrement",
                    "pg_hba.conf rejects connection for host \"%s\", no encryption",
                    "pg_hba.conf rejette la connexion pour l'hôte « %s », aucun chiffrement",
                    "SSL required",
                ],
            ),
            (
                "PostgreSQL's pg_hba.conf refuses this client, with TLS as well: it needs a line for it",
                &[
                    "no pg_hba.conf entry for host \"%s\", SSL encryption",
                    "aucune entrée dans pg_hba.conf pour l'hôte « %s », chiffrement SSL",
                    "pg_hba.conf rejects connection for host \"%s\", SSL encryption",
                    "pg_hba.conf rejette la connexion pour l'hôte « %s », chiffrement SSL",
                ],
            ),
            (
                "PostgreSQL's pg_hba.conf asks for another proof than the password in pg_dsn",
                &[
                    "Ident authentication failed for user \"%s\"",
                    "Échec de l'authentification Ident pour l'utilisateur « %s »",
                    "connection requires a valid client certificate",
                    "la connexion requiert un certificat client valide",
                    "certificate authentication failed for user \"%s\"",
                    "authentification par le certificat échouée pour l'utilisateur « %s »",
                    "client certificates can only be checked if a root certificate store is available",
                    "les certificats cert peuvent seulement être vérifiés si un emplacement de certificat racine est \
                     disponible",
                ],
            ),
            (
                "PostgreSQL gave up on the log-in (authentication_timeout)",
                &[
                    "canceling authentication due to timeout",
                    "annulation de l'authentification à cause du délai écoulé",
                ],
            ),
        ],
    ),
];

/// The sentence that stands for an error's text.
pub(super) fn sentence(text: &str) -> &'static str {
    let told = Told::of(text);
    let why = if told.place == SERVER { told.message() } else { Some(told.cause.as_str()) };
    let fits = |texts: &[&str]| why.is_some_and(|why| texts.iter().any(|text| holes(text, why).is_some()));
    let reasons =
        REASONS.iter().find(|(place, _)| *place == told.place).map_or(&[][..], |(_, reasons)| reasons);
    reasons.iter().find(|(_, texts)| fits(texts)).map_or(LEFT_OUT, |(sentence, _)| sentence)
}
