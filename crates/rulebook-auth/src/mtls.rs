//! The kind of authenticator `mtls`: the certificates of clients.

use rulebook::auth_kind::{AuthKind, AuthSettings, CompiledAuth};
use rulebook::handler_kind::settings::{non_empty_text, object, unknown_settings};
use rulebook::handler_kind::{HandlerError, JsonMember};
use rulebook::{CertificateName, ClientCertificates, Identity};

use crate::template::{name_claims, name_templates};

const CLIENTS_HELP: &str = "write the names in certificates: `{ \"dns:billing.internal\": { \"permissions\": [] } }`";
/// What to do if two keys are the same name, so that the second client could never be a caller.
const REPEATED_NAME_HELP: &str = "remove one of them: the case of host names, of the domains of email addresses and of \
                                  fingerprints is ignored";
const CLIENT_SETTINGS: [&str; 2] = ["name", "permissions"];

const NAMESPACE: &str = "mtls";

/// The kind of authenticator `mtls`, which accepts the certificates of clients (RFC 8446 section 4.3.2) that the server
/// has verified with the authorities in `TlsSettings::client_ca`. It needs the feature `tls` of the crate `rulebook`.
#[derive(Debug, Clone, Copy, Default)]
pub struct MtlsKind;

impl AuthKind for MtlsKind {
    fn name(&self) -> &str {
        "mtls"
    }

    fn settings(&self) -> &[&str] {
        &["clients"]
    }

    fn compile(&self, settings: &AuthSettings<'_>) -> Result<CompiledAuth, Vec<HandlerError>> {
        let node = settings.required("clients").map_err(|error| vec![error.help(CLIENTS_HELP)])?;
        let members = object(node, "clients").map_err(|error| vec![error.help(CLIENTS_HELP)])?;
        if members.is_empty() {
            return Err(vec![HandlerError::new("`clients` must not be empty").at(node.span).help(CLIENTS_HELP)]);
        }
        let mut certificates = ClientCertificates::new();
        let mut names: Vec<(CertificateName, &str)> = Vec::new();
        let mut errors = Vec::new();
        for member in members {
            match client(member) {
                Ok((name, identity)) => {
                    errors.extend(names.iter().find(|(known, _)| known.is_same(&name)).map(|(_, known)| {
                        let (key, known) = (member.key.value.escape_debug(), known.escape_debug());
                        let message = format!("`{key}` and `{known}` are the same name in a certificate");
                        HandlerError::new(message).at(member.key.span).help(REPEATED_NAME_HELP)
                    }));
                    names.push((name.clone(), &member.key.value));
                    certificates = certificates.with(name, identity);
                }
                Err(mut found) => errors.append(&mut found),
            }
        }
        if errors.is_empty() { Ok(CompiledAuth::new(certificates)) } else { Err(errors) }
    }
}

fn client(member: &JsonMember) -> Result<(CertificateName, Identity), Vec<HandlerError>> {
    let (key, settings) = (&member.key, &member.value);
    let mut errors = unknown_settings(settings, &key.value.escape_debug().to_string(), &CLIENT_SETTINGS);
    let certificate_name = key.value.parse::<CertificateName>();
    if let Err(error) = certificate_name {
        let message = format!("`{}` is not a name in a certificate: {error}", key.value.escape_debug());
        errors.insert(0, HandlerError::new(message).at(key.span));
    }
    let name = settings.member("name").map_or_else(|| Ok(key.clone()), |node| non_empty_text(node, "name"));
    let name = name.map_err(|error| errors.push(error)).ok();
    let templates = settings.member("permissions").map(|node| name_templates(node, "client", &mut errors));
    let templates = templates.unwrap_or_default();
    match (certificate_name, name) {
        (Ok(certificate_name), Some(name)) if errors.is_empty() => {
            let claims = name_claims(&name.value);
            let permissions = templates.iter().flat_map(|template| template.permissions(&claims));
            Ok((certificate_name, Identity::new(name.value.as_str(), permissions).with_namespace(NAMESPACE)))
        }
        _ => Err(errors),
    }
}
