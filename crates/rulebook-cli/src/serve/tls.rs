//! The settings of TLS: those from flags and environment variables, otherwise those of the definition.

use std::path::PathBuf;

use rulebook::TlsSettings;
use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode};
use rulebook_model::model::Api;
use rulebook_model::settings::split_bind_address;
use rulebook_model::span::{Span, Spanned};

use crate::Settings;
use crate::output::count_with_noun;

/// The kind of authenticator that accepts the certificates of clients.
const MTLS: &str = "mtls";

#[derive(Debug)]
pub(super) enum TlsError {
    /// Flags or environment variables contradict each other. The value is a message.
    Usage(String),
    /// A setting of the definition contradicts another setting.
    Definition(Box<Diagnostic>),
}

struct Setting<T> {
    /// The key in the definition. The flag has the same name.
    key: &'static str,
    value: Option<T>,
    /// The place in the definition; `None` if the value is not from the definition.
    span: Option<Span>,
}

impl<T> Setting<T> {
    fn new(key: &'static str, flag: Option<T>, defined: Option<Spanned<T>>) -> Self {
        match (flag, defined) {
            (None, Some(Spanned { value, span })) => Self { key, value: Some(value), span: Some(span) },
            (flag, _) => Self { key, value: flag, span: None },
        }
    }

    /// Returns the key if the value is from the definition, otherwise the flag. Without a value, it is as in
    /// `needed_by`.
    fn name(&self, needed_by: Option<Span>) -> String {
        let span = if self.value.is_some() { self.span } else { needed_by };
        match span {
            Some(_) => format!("`{}`", self.key),
            None => format!("--{}", self.key.replace('_', "-")),
        }
    }

    /// Returns an error: this setting has a value, but another setting that it needs has none.
    fn needs<U>(&self, missing: &Setting<U>, help: &str) -> TlsError {
        let message = format!("{} has no effect without {}", self.name(self.span), missing.name(self.span));
        contradiction(self.span, message, help)
    }
}

impl Setting<Vec<PathBuf>> {
    fn files(key: &'static str, flags: &[PathBuf], defined: &[Spanned<String>], api: &Api) -> Self {
        let paths = || defined.iter().map(|file| api.path(&file.value)).collect();
        let defined = defined.first().map(|first| Spanned::new(paths(), first.span));
        Self::new(key, (!flags.is_empty()).then(|| flags.to_vec()), defined)
    }

    fn count(&self) -> usize {
        self.value.as_ref().map_or(0, Vec::len)
    }
}

fn contradiction(span: Option<Span>, message: String, help: &str) -> TlsError {
    match span {
        Some(span) => {
            TlsError::Definition(Box::new(Diagnostic::new(DiagnosticCode::BadOption, span, message).help(help)))
        }
        None => TlsError::Usage(format!("{message}; {help}")),
    }
}

/// Returns the settings of TLS; `None` if the server has no certificate. Fails if a setting has no effect because
/// another is missing: a server without the authorities of clients would accept clients whose certificates are
/// required.
pub(super) fn tls_settings(settings: &Settings, api: &Api) -> Result<Option<TlsSettings>, TlsError> {
    let certificates = Setting::files("tls_certificate", &settings.tls_certificate, &api.tls_certificates, api);
    let keys = Setting::files("tls_key", &settings.tls_key, &api.tls_keys, api);
    let defined_ca = api.tls_client_ca.clone().map(|file| file.map(|file| api.path(file)));
    let client_ca = Setting::new("tls_client_ca", settings.tls_client_ca.clone(), defined_ca);
    let flag = settings.tls_client_certificate;
    let mode = Setting::new("tls_client_certificate", flag, api.tls_client_certificate);
    if certificates.count() != keys.count() {
        let span = certificates.span.or(keys.span);
        let count = |files: &Setting<Vec<PathBuf>>| match files.count() {
            0 => "no file".to_owned(),
            count => count_with_noun(count, "file"),
        };
        let (first, second) = (certificates.name(span), keys.name(span));
        let message = format!("{first} names {}, and {second} {}", count(&certificates), count(&keys));
        return Err(contradiction(span, message, "name a key for each certificate"));
    }
    if mode.value.is_some() && client_ca.value.is_none() {
        return Err(mode.needs(&client_ca, "name the file with the authorities of the clients"));
    }
    let mut pairs = certificates.value.iter().flatten().zip(keys.value.iter().flatten());
    let Some((certificate, key)) = pairs.next() else {
        return match client_ca.value {
            Some(_) => Err(client_ca.needs(&certificates, "name the certificate of the server, and its key")),
            None => Ok(None),
        };
    };
    let mut tls = TlsSettings::new(certificate, key);
    for (certificate, key) in pairs {
        tls = tls.with_certificate(certificate, key);
    }
    Ok(Some(match client_ca.value {
        Some(file) => tls.with_client_ca(file, mode.value.unwrap_or_default()),
        None => tls,
    }))
}

pub(super) fn client_certificate_warning(api: &Api, bind: &[String], tls: Option<&TlsSettings>) -> Option<Diagnostic> {
    let kind = api.auth.as_ref()?.kinds.iter().find(|kind| kind.key.value == MTLS)?;
    let (reason, help) = if !bind.iter().any(|address| split_bind_address(address).0) {
        ("no address to listen on has TLS", "let an address of `bind` begin with `https://`")
    } else if tls.is_none_or(|tls| tls.client_ca.is_none()) {
        ("`tls_client_ca` is missing", "name the file with the authorities of the clients")
    } else {
        return None;
    };
    let message = format!("`{MTLS}` recognises no client: {reason}");
    Some(Diagnostic::new(DiagnosticCode::BadAuth, kind.key.span, message).help(help).into_warning())
}
