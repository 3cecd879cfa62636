//! Converts a call to a FastCGI request.

mod client_request;
mod encoded;
mod form;
mod parameters;
mod service;

use rulebook::handler_kind::ArgumentSlots;
use rulebook::multipart::MultipartPiece;
use rulebook::trace::TraceContext;
use rulebook::{ApiError, Context, Upload};

use crate::protocol::{append_parameter, encode_head};
use crate::settings::HandlerSettings;
use encoded::Encoded;
pub use form::is_readable_name;
pub use parameters::{RESERVED, RESERVED_PREFIX};
pub use service::{NAMESPACE, php_name};

/// The name of the parameter with the trace of a call (W3C Trace Context).
const TRACEPARENT: &str = "HTTP_TRACEPARENT";

/// A request to PHP.
#[derive(Debug)]
pub struct PhpRequest {
    /// The encoded parameters.
    pub head: Vec<u8>,
    /// The body. It can be sent several times.
    pub body: Vec<MultipartPiece<Upload>>,
}

impl PhpRequest {
    /// Creates the request for a call. `script` is the path of the script. If the call has a trace,
    /// [`PhpRequest::set_trace`] adds it.
    /// Fails if PHP would not read the arguments as they are.
    pub fn new(
        settings: &HandlerSettings,
        script: &str,
        arguments: ArgumentSlots<'_, '_>,
        context: &Context,
    ) -> Result<Self, ApiError> {
        let encoded = Encoded::new(settings, arguments, context)?;
        let mut parameters = parameters::parameters(settings, script, &encoded, context);
        if context.is_traced() {
            parameters.retain(|(name, _)| name != TRACEPARENT);
        }
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (&**name, value.as_bytes())).collect();
        Ok(Self { head: encode_head(&parameters).map_err(ApiError::internal)?, body: encoded.body })
    }

    /// Adds the trace of the call.
    pub fn set_trace(&mut self, trace: &TraceContext) {
        append_parameter(&mut self.head, TRACEPARENT, trace.traceparent().as_bytes());
    }
}
