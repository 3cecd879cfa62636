//! The kind of authenticator `basic`: names and passwords (RFC 7617), whose hashes are in files. The files have the
//! format of `htpasswd`, with hashes of argon2 and bcrypt, and with permissions as third field.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwapOption;
use argon2::{Argon2, Params, PasswordHash, PasswordVerifier};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rulebook::auth_kind::{AuthKind, AuthSettings, CompiledAuth, VerifiedCredentials};
use rulebook::handler_kind::settings::{non_empty_text, path};
use rulebook::handler_kind::{HandlerError, JsonNode};
use rulebook::http::{HeaderValue, header};
use rulebook::model::Spanned;
use rulebook::{ApiError, AuthError, AuthScheme, Authenticate, Authentication, Head, Identity};
use rulebook_login::{FailedLogins, client_network};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::template::{Template, name_claims, name_templates};

/// The kind of authenticator `basic`, which accepts the names and passwords (RFC 7617) of the users in files.
#[derive(Debug, Clone, Copy, Default)]
pub struct BasicKind;

impl AuthKind for BasicKind {
    fn name(&self) -> &str {
        "basic"
    }

    fn settings(&self) -> &[&str] {
        &["users", "permissions", "realm"]
    }

    fn compile(&self, settings: &AuthSettings<'_>) -> Result<CompiledAuth, Vec<HandlerError>> {
        compile_files(std::slice::from_ref(settings))
    }

    fn compile_several(&self, all: &[AuthSettings<'_>]) -> Option<Result<CompiledAuth, Vec<HandlerError>>> {
        Some(compile_files(all))
    }
}

fn compile_files(all: &[AuthSettings<'_>]) -> Result<CompiledAuth, Vec<HandlerError>> {
    let mut errors = Vec::new();
    let (mut files, mut paths, mut schemes) = (Vec::new(), Vec::new(), Vec::new());
    for settings in all {
        match read_settings(settings) {
            Ok((file, path, scheme)) => {
                files.push(file);
                paths.push(path);
                schemes.push(scheme);
            }
            Err(mut found) => errors.append(&mut found),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let users = Arc::new(ArcSwapOption::empty());
    let only_first = all.iter().any(|settings| !settings.combine);
    let compiled = CompiledAuth::new(BasicAuthenticator::new(Arc::clone(&users), schemes, only_first));
    let compiled = files.iter().fold(compiled, |compiled, file| compiled.private_file(&file.path));
    Ok(compiled.on_start(move || async move {
        let read = |(file, path): (&UserFile, Spanned<String>)| match file.read() {
            Ok(read) => Ok(Arc::new(read)),
            Err(message) => Err(HandlerError::new(message).at(path.span)),
        };
        let (read, errors): (Vec<_>, Vec<_>) = files.iter().zip(paths).map(read).partition(Result::is_ok);
        if !errors.is_empty() {
            return Err(errors.into_iter().filter_map(Result::err).collect());
        }
        users.store(Some(Arc::new(AllUsers::new(read.into_iter().flatten().collect()))));
        tokio::spawn(watch(files.into(), users));
        Ok(())
    }))
}

/// Reads the settings of a file with users: the file, its path in the definition, and the authentication scheme.
fn read_settings(settings: &AuthSettings<'_>) -> Result<(UserFile, Spanned<String>, AuthScheme), Vec<HandlerError>> {
    let mut errors = Vec::new();
    let node =
        settings.required("users").map_err(|error| error.help("write the path of a file with lines `name:hash`"));
    let file = node.and_then(|node| {
        let written = node.written_text().unwrap_or_default().to_owned();
        Ok((path(node, "users", settings.api)?.value, Spanned::new(written, node.span)))
    });
    let templates = settings.optional("permissions").map(|node| name_templates(node, "user", &mut errors));
    let templates = templates.unwrap_or_default();
    let realm =
        settings.optional("realm").and_then(|node| realm(node, "realm").map_err(|error| errors.push(error)).ok());
    match file {
        Ok((path, written)) if errors.is_empty() => {
            // Several servers can have the file in different places. The text in the definition is the same.
            let namespace = format!("basic:{}", written.value);
            let scheme = AuthScheme::basic(&realm.unwrap_or_else(|| ascii_title(&settings.api.title)));
            Ok((UserFile { path, templates, namespace }, written, scheme))
        }
        Ok(_) => Err(errors),
        Err(error) => {
            errors.insert(0, error);
            Err(errors)
        }
    }
}

/// Reads the realm, which header fields can contain.
fn realm(node: &JsonNode, name: &str) -> Result<String, HandlerError> {
    let text = non_empty_text(node, name)?;
    match text.value.chars().all(is_header_char) {
        true => Ok(text.value),
        false => {
            Err(HandlerError::new(format!("`{name}` must contain only visible ASCII characters and spaces"))
                .at(node.span))
        }
    }
}

/// Returns the characters of the API's title that header fields can contain.
fn ascii_title(title: &str) -> String {
    title.chars().filter(|c| is_header_char(*c)).collect()
}

fn is_header_char(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic()
}

/// The number of hashes that are computed at once.
const COMPUTATIONS: usize = 2;
const MAX_WAITING: usize = 64;
/// Decodes base64 with or without padding: some clients omit it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The maximum length of a credential in bytes, before it is decoded.
const MAX_LEN: usize = 2048;

/// The authenticator that accepts names and passwords. A definition has one of them for all files with users, because a
/// login fails only if no file accepts it: if each file counted the logins that it does not accept, it would lock out
/// the users of the other files.
pub struct BasicAuthenticator {
    pub users: Arc<ArcSwapOption<AllUsers>>,
    pub schemes: Vec<AuthScheme>,
    /// `true` if a user has only the permissions of the first file that accepts the password.
    pub only_first: bool,
    failed: Arc<FailedLogins>,
    computations: Arc<Semaphore>,
    places: Semaphore,
}

impl BasicAuthenticator {
    pub fn new(users: Arc<ArcSwapOption<AllUsers>>, schemes: Vec<AuthScheme>, only_first: bool) -> Self {
        Self {
            users,
            schemes,
            only_first,
            failed: Arc::default(),
            computations: Arc::new(Semaphore::new(COMPUTATIONS)),
            places: Semaphore::new(MAX_WAITING),
        }
    }

    /// Verifies the password of a credential that this worker has not verified.
    async fn verify(&self, head: &Head, credential: &str) -> Authentication {
        let Some((name, password)) = decode(credential) else {
            return Authentication::Invalid("the name and the password are malformed".to_owned());
        };
        let Some(users) = self.users.load_full() else {
            return Authentication::Unavailable("the users have not been read".to_owned());
        };
        let Ok(_place) = self.places.try_acquire() else {
            return Authentication::Unavailable("too many passwords are being verified".to_owned());
        };
        let Ok(permit) = Arc::clone(&self.computations).acquire_owned().await else {
            return Authentication::Unavailable("no passwords are verified".to_owned());
        };
        // Another request with the same credential may have been verified meanwhile, so that a client can send several
        // requests at once.
        if let Some(identity) = users.verified.recall(credential, Clone::clone) {
            return Authentication::Identity(identity);
        }
        let attempt = match self.failed.begin(client_network(head), &name, Instant::now()) {
            Ok(attempt) => attempt,
            Err(wait) => {
                let seconds = HeaderValue::from(wait.as_secs() + 1);
                let error = ApiError::declared("too_many_failures");
                return Authentication::Error(error.with_headers(vec![(header::RETRY_AFTER, seconds)]));
            }
        };
        if users.is_empty() {
            return Authentication::Invalid("there are no users".to_owned());
        }
        let (verifying, verified_name, only_first) = (Arc::clone(&users), name.clone(), self.only_first);
        let verified = spawn_blocking(move || {
            // The computation cannot be stopped, so it keeps its permit even if the request is dropped.
            let _permit = permit;
            verifying.verify(&verified_name, &password, only_first)
        });
        let accepting = match verified.await {
            Ok(accepting) => accepting,
            Err(error) => {
                attempt.do_not_count();
                return Authentication::Unavailable(format!("the password cannot be verified: {error}"));
            }
        };
        let Some(identity) = users.identity(&name, &accepting) else {
            return Authentication::Invalid("the name or the password is wrong".to_owned());
        };
        attempt.succeed();
        users.verified.remember(credential, identity.clone(), identity.memory_size());
        Authentication::Identity(identity)
    }
}

impl Authenticate for BasicAuthenticator {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match basic_credential(head) {
            Ok(credential) => self.verify(head, credential).await,
            Err(authentication) => authentication,
        }
    }

    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        match basic_credential(head) {
            Ok(credential) => {
                let users = self.users.load();
                let identity = users.as_ref()?.verified.recall(credential, Clone::clone)?;
                Some(Authentication::Identity(identity))
            }
            Err(authentication) => Some(authentication),
        }
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        self.schemes.clone()
    }

    fn errors(&self) -> Vec<AuthError> {
        vec![AuthError::new("too_many_failures", 429, "too many logins have failed; try again later")]
    }
}

/// Returns the credential of the scheme Basic as it was sent. Without it, and if the header field is malformed or
/// repeated, the error is the result of the authentication.
fn basic_credential(head: &Head) -> Result<&str, Authentication> {
    let invalid = |reason: &str| Authentication::Invalid(reason.to_owned());
    if !head.header_values("authorization").any(is_basic) {
        return Err(Authentication::Anonymous);
    }
    let mut fields = head.header_values("authorization");
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Err(invalid("the header field Authorization is repeated"));
    };
    let credential = field.to_str().ok().and_then(|text| Some(text.trim().split_once(' ')?.1.trim_start()));
    credential
        .filter(|credential| credential.len() <= MAX_LEN)
        .ok_or_else(|| invalid("the header field Authorization is malformed"))
}

/// Returns `true` if the value of `Authorization` has the scheme Basic. Names of schemes are case-insensitive.
fn is_basic(value: &HeaderValue) -> bool {
    let scheme = value.as_bytes().trim_ascii().split(|byte| *byte == b' ').next();
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Basic"))
}

/// Decodes a credential: the name and the password, separated by a colon (RFC 7617 section 2).
fn decode(credential: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64.decode(credential).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    let is_valid = !name.is_empty() && !text.contains(char::is_control);
    is_valid.then(|| (name.to_owned(), password.to_owned()))
}

/// The maximum number of credentials that each worker remembers, because computing a hash again takes long.
const MAX_VERIFIED: usize = 10_000;
/// The interval at which the files of users are checked for changes.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The users of all files, with the credentials that have been verified. If one of the files changes, a new value
/// replaces this one, so that all credentials are verified again.
pub struct AllUsers {
    files: Vec<Arc<Users>>,
    /// The credentials that a worker has verified.
    pub verified: VerifiedCredentials<Identity>,
}

impl AllUsers {
    pub fn new(files: Vec<Arc<Users>>) -> Self {
        Self { files, verified: VerifiedCredentials::with_max(MAX_VERIFIED) }
    }

    pub fn is_empty(&self) -> bool {
        self.files.iter().all(|users| users.by_name.is_empty())
    }

    /// Verifies a password with the hash of each file that contains the user, and returns the indexes of the files that
    /// accept it: all of them, or only the first one. The call takes a long time, which is the same for every wrong
    /// password and for unknown names: for each file, it computes one hash of each cost in the file.
    pub fn verify(&self, name: &str, password: &str, only_first: bool) -> Vec<usize> {
        let mut accepting = Vec::new();
        for (index, users) in self.files.iter().enumerate() {
            let hash_of_user = users.by_name.get(name).map(|user| &user.hash);
            for hash in &users.hash_of_each_cost {
                let same_cost = hash_of_user.filter(|of_user| of_user.cost() == hash.cost());
                // Without a hash of the user, the result has no meaning.
                let is_correct = same_cost.unwrap_or(hash).verify(password);
                if same_cost.is_some() && is_correct {
                    accepting.push(index);
                }
            }
        }
        accepting.truncate(if only_first { 1 } else { usize::MAX });
        accepting
    }

    /// Returns the identity of a user. It has the name that the first accepting file gives it, and the permissions of
    /// all of them. Returns `None` if no file accepts the credential.
    pub fn identity(&self, name: &str, accepting: &[usize]) -> Option<Identity> {
        let first = self.files.get(*accepting.first()?)?;
        let mut permissions: Vec<&str> = Vec::new();
        for user in accepting.iter().filter_map(|index| self.files.get(*index)?.by_name.get(name)) {
            for permission in &user.permissions {
                if !permissions.contains(&permission.as_str()) {
                    permissions.push(permission);
                }
            }
        }
        Some(Identity::new(name, permissions).with_namespace(&first.namespace))
    }
}

/// Reads each file again whenever it has changed, until the future is dropped. If a file is not valid, its users that
/// were read before remain valid. One task reads all files, so that each change is added to the others.
pub async fn watch(files: Arc<[UserFile]>, users: Arc<ArcSwapOption<AllUsers>>) {
    let Some(mut current) = users.load().as_ref().map(|users| users.files.clone()) else { return };
    let mut stamps: Vec<_> = current.iter().map(|users| users.stamp).collect();
    loop {
        sleep(POLL_INTERVAL).await;
        let mut has_changed = false;
        for (index, file) in files.iter().enumerate() {
            let stamp = UserFileStamp::of(&file.path);
            if stamps[index] == stamp {
                continue;
            }
            stamps[index] = stamp;
            let all_files = Arc::clone(&files);
            let read = spawn_blocking(move || all_files[index].read()).await;
            match read.map_err(|error| error.to_string()).flatten() {
                Ok(read) => {
                    log::info!("{}: users: {}", file.path.display(), read.by_name.len());
                    current[index] = Arc::new(read);
                    has_changed = true;
                }
                Err(error) => log::error!("the users stay as they were: {error}"),
            }
        }
        if has_changed {
            users.store(Some(Arc::new(AllUsers::new(current.clone()))));
        }
    }
}

/// The maximum size of the file in bytes.
const MAX_SIZE: u64 = 16 << 20;
/// The maximum cost of a bcrypt hash. Each further step doubles the time; this one needs a few seconds.
const MAX_BCRYPT_COST: u32 = 16;
/// The maximum memory of an argon2 hash in KiB.
const MAX_ARGON2_MEMORY: u32 = 256 << 10;
/// The maximum number of passes of an argon2 hash over its memory.
const MAX_ARGON2_PASSES: u32 = 16;
/// The maximum number of different costs of the hashes in a file, because a hash of each cost is computed for every
/// password.
const MAX_COSTS: usize = 8;

/// A file with users, as a definition names it.
pub struct UserFile {
    pub path: PathBuf,
    /// The templates of the permissions that every user of the file gets.
    pub templates: Vec<Template>,
    /// The namespace of the names of users.
    pub namespace: String,
}

pub struct User {
    pub hash: StoredHash,
    pub permissions: Vec<String>,
}

pub struct Users {
    pub by_name: HashMap<String, User>,
    /// A hash of each [cost](StoredHash::cost) in the file.
    pub hash_of_each_cost: Vec<StoredHash>,
    /// The namespace of the names of users.
    pub namespace: String,
    pub stamp: UserFileStamp,
}

/// A value that changes if the file changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserFileStamp(Option<(SystemTime, u64)>);

impl UserFileStamp {
    pub fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).and_then(|data| Ok((data.modified()?, data.len()))).ok())
    }
}

impl UserFile {
    /// Reads the file.
    /// Fails if the file cannot be read or has an invalid line. The error is a message, which contains no hash.
    pub fn read(&self) -> Result<Users, String> {
        let error = |reason: &dyn std::fmt::Display| format!("{}: {reason}", self.path.display());
        let stamp = UserFileStamp::of(&self.path);
        if stamp.0.is_some_and(|(_, size)| size > MAX_SIZE) {
            return Err(error(&format_args!("the file is larger than {MAX_SIZE} bytes")));
        }
        let text = std::fs::read_to_string(&self.path).map_err(|reason| error(&reason))?;
        let mut by_name = HashMap::new();
        let mut hash_of_each_cost: Vec<StoredHash> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let in_line = |reason: &str| error(&format_args!("line {}: {reason}", index + 1));
            let (name, user) = parse_line(line, &self.templates).map_err(|reason| in_line(&reason))?;
            if hash_of_each_cost.iter().all(|known| known.cost() != user.hash.cost()) {
                if hash_of_each_cost.len() == MAX_COSTS {
                    return Err(in_line(&format!("the hashes have more than {MAX_COSTS} different costs")));
                }
                hash_of_each_cost.push(user.hash.clone());
            }
            if by_name.insert(name, user).is_some() {
                return Err(in_line("a user of this name is in the file already"));
            }
        }
        Ok(Users { by_name, hash_of_each_cost, namespace: self.namespace.clone(), stamp })
    }
}

/// Parses a line: a name, a hash, and optionally permissions, separated by colons.
fn parse_line(line: &str, templates: &[Template]) -> Result<(String, User), String> {
    let (name, rest) = line.split_once(':').ok_or("a line has the form `name:hash` or `name:hash:permissions`")?;
    let (hash, permissions) = rest.split_once(':').unwrap_or((rest, ""));
    if name.is_empty() || name.contains(char::is_control) {
        return Err("the name is not valid".to_owned());
    }
    let hash = StoredHash::parse(hash)?;
    let claims = name_claims(name);
    let listed = permissions.split([',', ' ']).filter(|permission| !permission.is_empty()).map(str::to_owned);
    let permissions = listed.chain(templates.iter().flat_map(|template| template.permissions(&claims))).collect();
    Ok((name.to_owned(), User { hash, permissions }))
}

/// The hash of a password, whose format has been checked.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredHash {
    Argon2(String),
    Bcrypt(String),
}

impl StoredHash {
    /// Checks the format of a hash.
    /// Fails if the hash has an unknown type, is malformed, or costs too much. The error is a message, which does not
    /// contain the hash.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("$argon2") {
            let hash = PasswordHash::new(text).map_err(|_| "the argon2 hash is malformed".to_owned())?;
            let params = Params::try_from(&hash).map_err(|_| "the argon2 hash is malformed".to_owned())?;
            if hash.hash.is_none() || hash.salt.is_none() {
                return Err("the argon2 hash is malformed".to_owned());
            }
            if params.m_cost() > MAX_ARGON2_MEMORY || params.t_cost() > MAX_ARGON2_PASSES {
                return Err(format!(
                    "the argon2 hash costs more than {MAX_ARGON2_MEMORY} KiB or {MAX_ARGON2_PASSES} passes"
                ));
            }
            return Ok(Self::Argon2(text.to_owned()));
        }
        if ["$2a$", "$2b$", "$2y$"].iter().any(|start| text.starts_with(start)) {
            let parts: bcrypt::HashParts = text.parse().map_err(|_| "the bcrypt hash is malformed".to_owned())?;
            if parts.get_cost() > MAX_BCRYPT_COST {
                return Err(format!("the cost of the bcrypt hash is more than {MAX_BCRYPT_COST}"));
            }
            return Ok(Self::Bcrypt(text.to_owned()));
        }
        Err("the hash is neither argon2 nor bcrypt".to_owned())
    }

    /// Returns the part of the hash that determines how long its computation takes: the parameters of argon2, or the
    /// cost of bcrypt.
    pub fn cost(&self) -> &str {
        match self {
            // The parts after these parameters are the salt and the hash.
            Self::Argon2(text) => text.rsplitn(3, '$').last().unwrap_or(text),
            // The versions of bcrypt, such as `$2y$`, take the same time.
            Self::Bcrypt(text) => text.get(4..6).unwrap_or(text),
        }
    }

    /// Returns `true` if a password has this hash. The hashes are compared in constant time. The call takes a long
    /// time.
    pub fn verify(&self, password: &str) -> bool {
        match self {
            Self::Argon2(text) => PasswordHash::new(text)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()),
            Self::Bcrypt(text) => bcrypt::verify(password, text).unwrap_or(false),
        }
    }
}
