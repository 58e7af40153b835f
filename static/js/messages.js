// Every sentence that the scripts show, by language and key; what never changes stands in the HTML. The keys under
// `problem` are the API's stable codes. Another language is another object with the same keys.

const fr = {
  problem: {
    // The two that are ours: no answer, and an answer that nobody planned.
    network: "Le service ne répond pas. Vérifiez votre connexion, puis réessayez : ce que vous avez saisi est conservé.",
    unexpected: "Réponse inattendue du service. Réessayez ; si cela continue, prévenez l’assistance.",
    too_many_requests: "Trop de demandes en peu de temps. Patientez un peu, puis réessayez.",

    unavailable: "Le service est momentanément indisponible. Réessayez dans un instant : ce que vous avez saisi est conservé.",
    malformed_request: "Le service n’a pas compris la demande. Rechargez la page et réessayez.",
    invalid_request: "Un champ est vide ou n’a pas la forme attendue. Vérifiez votre saisie.",
    not_found: "Cette fonction n’existe pas ici. Rechargez la page et réessayez.",
    method_not_allowed: "Cette fonction n’existe pas ici. Rechargez la page et réessayez.",
    unsupported_media_type: "Le service n’a pas compris la demande. Rechargez la page et réessayez.",
    body_too_large: "Ce que vous avez saisi est trop long.",
    cross_site: "Demande refusée : cette page n’a pas été ouverte à l’adresse officielle du service. Vérifiez l’adresse.",

    invalid_username:
      "Ce nom d’utilisateur ne convient pas : 3 à 64 lettres sans accent, chiffres, points, tirets ou tirets bas, "
      + "avec une lettre ou un chiffre au début et à la fin.",
    username_taken:
      "Ce nom d’utilisateur est déjà pris. Si vous avez commencé à le créer sans terminer, il se libère au bout "
      + "de 15 minutes.",
    token_used:
      "Ce code a déjà été utilisé : le mot de passe a été affiché une fois et ne le sera plus. Si ce n’est pas vous "
      + "qui l’avez vu, ou si vous n’avez pas pu le noter, demandez un nouveau code sur la page où vous avez commencé.",
    token_expired: "Ce code n’est plus valable. Demandez un nouveau code sur la page où vous avez commencé.",
    token_unknown:
      "Ce code n’existe pas ou a été remplacé par un plus récent. Utilisez le dernier code affiché sur la page où "
      + "vous avez commencé.",
    token_invalid:
      "Cette création de compte n’est plus en cours : le délai de 15 minutes est passé, elle a été recommencée ailleurs, "
      + "ou elle est déjà terminée. Si vous veniez de la confirmer, essayez de vous connecter ; sinon, recommencez.",
    password_not_revealed: "Le mot de passe n’a pas encore été affiché. Affichez-le d’abord.",
    totp_not_started: "Aucun second facteur n’est en préparation. Ajoutez le nouveau code QR ci-dessous à votre application.",
    superseded:
      "Quelque chose a changé pendant la confirmation, sans doute dans un autre onglet. Rien n’a été activé. Vérifiez "
      + "que vous utilisez le mot de passe et le code QR les plus récents, puis réessayez.",
    invalid_credentials: "Ces informations ne permettent pas de se connecter. Vérifiez-les et attendez un nouveau code à six chiffres.",
    too_many_attempts: "Trop de codes faux à la suite. Patientez avant de réessayer.",
    account_suspended: "Ce compte est suspendu après de trop nombreux essais. Contactez l’assistance COFRAP.",
    credentials_expired: "Vos identifiants ont expiré.",
    session_invalid: "Vous n’êtes pas connecté, ou votre session est terminée.",
  },

  // The same code means something more precise at one place.
  confirm: {
    invalid_credentials:
      "Le mot de passe ou le code ne correspond pas. Vérifiez le mot de passe, et attendez que l’application affiche "
      + "un nouveau code.",
  },
  renewal: {
    token_invalid: "Le délai pour renouveler est passé, ou ce nom n’est pas celui du compte. Vérifiez le nom, ou reconnectez-vous.",
  },

  ui: {
    wait: "Nouvel essai possible dans {time}.",
    waitOver: "Vous pouvez réessayer.",
    codeForm: "Le code est composé de six chiffres.",
    copied: "Mot de passe copié.",
    copyByHand: "La copie automatique n’est pas permise ici : le mot de passe est sélectionné, copiez-le avec le clavier ou le menu.",
    codeValidUntil: "Ce code est valable jusqu’à {time}, et pour une seule fois.",
    waiting: "En attente : la page continue dès que le mot de passe est affiché sur votre téléphone.",
    waitingOffline: "Connexion perdue. La page réessaie d’elle-même.",
    waitingReloaded:
      "La page a été rechargée : le code QR n’est plus affiché. Continuez sur le téléphone si vous l’avez déjà scanné, "
      + "ou demandez un nouveau code.",
    revealed: "Le mot de passe a été affiché.",
    newCode: "Voici un nouveau code. Le précédent, et le mot de passe qu’il aurait donné, ne valent plus rien.",
    totpResumed:
      "Reprise à l’étape 3. Si le compte est déjà dans votre application d’authentification, saisissez simplement le "
      + "code. Sinon, affichez un code QR.",
    revealGone: "Cette page n’a pas de code. Scannez de nouveau le code QR, ou ouvrez de nouveau le lien.",
    cookieRefused:
      "Identifiants acceptés, mais votre navigateur n’a pas gardé la session. Autorisez les cookies de ce site, puis "
      + "reconnectez-vous.",
    cookieRefusedHttp:
      "Identifiants acceptés, mais votre navigateur n’a pas gardé la session : cette page est ouverte en http, et la "
      + "session exige https. Demandez à l’exploitant de placer TLS devant le service.",
    signedOut: "Vous êtes déconnecté.",
    never: "jamais, c’est la première",
    noFailure: "aucun",
  },
};

const catalogues = { fr };
const language = document.documentElement.lang;
const catalogue = catalogues[language] ?? fr;

// French keeps these signs on the line of their word.
const typeset = (text) => text.replace(/ ([:;?!»])/g, "\u00a0$1").replaceAll("« ", "«\u00a0");

// A sentence of the interface, its {placeholders} filled in.
export function say(key, values = {}) {
  return typeset(catalogue.ui[key]).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// The sentence for a problem; `place` names a group of more precise ones, where there is one.
export function explain(problem, place) {
  const sentences = catalogue.problem;
  return typeset(catalogue[place]?.[problem.code] ?? sentences[problem.code] ?? sentences.unexpected);
}

// A point in time of the API (RFC 3339, UTC), in words and in the reader's time zone.
export function dateAndTime(rfc3339) {
  return new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }).format(new Date(rfc3339));
}

// Only the time of day, for what ends within minutes.
export function timeOfDay(rfc3339) {
  return new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(new Date(rfc3339));
}

// A wait, counted down: "12 s", "3 min 05 s".
export function duration(seconds) {
  const rest = seconds % 60;
  return seconds < 60 ? `${rest} s` : `${Math.floor(seconds / 60)} min ${String(rest).padStart(2, "0")} s`;
}
