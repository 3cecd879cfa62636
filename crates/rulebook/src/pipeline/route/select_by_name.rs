//! Selects an API method by names in the query or the body instead of the path: the field `service` of PhalApi, or the
//! fields `module` and `method` of api 3.0.

use rulebook_model::error::catalogue::Catalogue;

use super::RoutingError;
use super::fields::{Field, FieldContent, query_fields, single_field_value};
use crate::call::{
    ApiError, ErrorKind, Head, ParameterError, ParameterErrorKind, ServiceNameError, Source, shorten_text,
};
use crate::pipeline::respond::ErrorContext;
use crate::plan::{self, MatchedMethod, NameMatch, Plan, SegmentError, Segments, ServiceNaming, ServicesByModule};

/// Returns the value of the field `service`, or the value of the field `s` if the request has no field `service`. If a
/// field is repeated, its last value is used, as in PHP.
pub(super) fn service_name<'a>(fields: impl Iterator<Item = Field<'a>>) -> Option<FieldContent<'a>> {
    let [long, short] = ServiceNaming::Service.fields();
    let (mut by_long, mut by_short) = (None, None);
    for Field { name, value } in fields {
        if name == long {
            by_long = Some(value);
        } else if name == short {
            by_short = Some(value);
        }
    }
    by_long.or(by_short)
}

/// Finds the service that a PhalApi client names, and returns its index. Fails if the API has no service with this
/// name.
pub(super) fn find_by_service_name(
    named: &plan::NamedServices,
    given: &FieldContent<'_>,
) -> Result<usize, RoutingError> {
    let (name, error) = match given {
        FieldContent::Text(name) => match named.by_class.find(name) {
            Ok(service) => return Ok(service),
            Err(error) => (named.by_class.complete(&shorten_text(name)).into_owned(), error),
        },
        FieldContent::Invalid(SegmentError::SeveralValues) => ("[]".to_owned(), ServiceNameError::Illegal),
        FieldContent::Invalid(SegmentError::InvalidUtf8) => ("\u{fffd}".to_owned(), ServiceNameError::Illegal),
    };
    let error = ApiError::new(ErrorKind::InvalidServiceName { name, error });
    Err(RoutingError { context: ErrorContext::UnknownName, error })
}

/// Returns the index of the service that the query names, if it is another service than the one at the request path,
/// whose index is `at_path`. As in PhalApi, the name in the query has priority over the path, unless the field that
/// contains it is a parameter of the service at the path. Fails if the field `service` contains a name that no service
/// has. Such a field `s` is ignored, because fields with this name often have another meaning.
pub(super) fn service_instead(plan: &Plan, head: &Head, at_path: usize) -> Result<Option<usize>, RoutingError> {
    let fields = &plan.services[at_path].name_fields;
    let Some(named) = plan.named_services.as_ref().filter(|_| !fields.is_empty() && head.uri.query().is_some()) else {
        return Ok(None);
    };
    for field in fields.iter().copied() {
        let Some(given) = query_fields(head, &[field]).last() else { continue };
        return match find_by_service_name(named, &given.value) {
            Ok(service) => Ok(Some(service).filter(|service| *service != at_path)),
            Err(_) if field != ServiceNaming::Service.fields()[0] => Ok(None),
            Err(error) => Err(error),
        };
    }
    Ok(None)
}

/// Finds the service that the fields `module` and `method` of a body name. Returns `None` if the body lacks one of
/// these two fields. Fails if the value of `module` or `method` is not text, or the API has no such service.
pub(super) fn find_by_module_and_method(
    modules: &ServicesByModule,
    fields: &[Field<'_>],
) -> Result<Option<usize>, RoutingError> {
    let given = ServiceNaming::Module.fields().map(|name| single_field_value(fields.iter().cloned(), name, true));
    let [Some(module), Some(method)] = given else { return Ok(None) };
    let (module, method) = match (module, method) {
        (FieldContent::Text(module), FieldContent::Text(method)) => (module, method),
        (module, method) => {
            let given = ServiceNaming::Module.fields().into_iter().zip([module, method]);
            let errors = given.filter_map(|(name, value)| match value {
                FieldContent::Text(_) => None,
                FieldContent::Invalid(why) => Some(name_field_error(name, why)),
            });
            return Err(ApiError::parameters(errors.collect()).into());
        }
    };
    modules.find(&module, &method).map(Some).ok_or_else(|| {
        let name = format!("{}/{}", shorten_text(&module), shorten_text(&method));
        ApiError::new(ErrorKind::InvalidServiceName { name, error: ServiceNameError::Unknown }).into()
    })
}

/// Returns the error for a field that should name a service, but whose value is not a single text.
fn name_field_error(name: &str, why: SegmentError) -> ParameterError {
    let got = match why {
        SegmentError::SeveralValues => "several-values",
        SegmentError::InvalidUtf8 => "not-utf-8",
    };
    let error = ParameterError::new(ParameterErrorKind::Invalid, name, Source::Body, "a name");
    error.with_got(Some(Catalogue::ENGLISH.text(got).to_owned()))
}

/// An API method that names in the query or the body have selected.
pub(super) struct NamedMethod {
    /// The index of the API method in the plan.
    pub(super) method: usize,
    /// The pair of fields whose values have selected the method.
    pub(super) naming: ServiceNaming,
}

impl NamedMethod {
    /// Adds the positional parameters to the method. Their values are the fields that have the parameters' names in
    /// code; a query field has priority over a field of `body`. The returned flag is `true` if the request contains
    /// every positional parameter.
    pub(super) fn with_named_positions(&self, plan: &Plan, head: &Head, body: &[Field<'_>]) -> (MatchedMethod, bool) {
        let method = &plan.methods[self.method];
        let uses_last_value = plan.modules[method.module_index].uses_last_value;
        let mut segments = Vec::new();
        let mut unfit = Vec::new();
        let mut complete = true;
        for (segment, slot) in &method.path_slots {
            let name = &*method.parameter_names[*slot];
            let in_query = single_field_value(query_fields(head, &[name]), name, uses_last_value);
            let in_body = || Some(single_field_value(body.iter().cloned(), name, uses_last_value)?.into_owned());
            match in_query.or_else(in_body) {
                Some(FieldContent::Text(text)) => {
                    if segments.len() <= *segment {
                        segments.resize(segment + 1, String::new());
                    }
                    segments[*segment] = text.into_owned();
                }
                Some(FieldContent::Invalid(why)) => unfit.push((*slot, why)),
                None => complete = false,
            }
        }
        let by_name = Some(Box::new(NameMatch { naming: self.naming, invalid_segments: unfit }));
        (MatchedMethod { method_index: self.method, segments: segments.into(), by_name }, complete)
    }

    /// Adds the positional parameters to the method. Their values are the segments of the request path.
    pub(super) fn with_path_positions(&self, plan: &Plan, head: &Head, positions: &Segments) -> MatchedMethod {
        let first = plan.methods[self.method].path_slots.iter().map(|(segment, _)| *segment).min().unwrap_or_default();
        let mut segments = vec![String::new(); first];
        segments.extend(positions.iter(head.uri.path()).map(str::to_owned));
        let by_name = Some(Box::new(NameMatch { naming: self.naming, invalid_segments: Vec::new() }));
        MatchedMethod { method_index: self.method, segments: segments.into(), by_name }
    }
}
