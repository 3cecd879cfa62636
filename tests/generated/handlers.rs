//! Handlers with the generated types.

use rulebook::error::ErrorKind;
use rulebook::{ApiError, Context, Download, Engine, Rulebook};
use serde_json::{Value as Json, json};

use super::api;
use super::api::shop::{
    ChangeArguments, ChangeOutputs, ClearArguments, Event, Handlers, LabelArguments, LabelBody, LabelOutputs,
    PhotoArguments, Price, SearchArguments, SearchError, SearchOutputs, SearchOutputsItem, SearchType, Setting, Shape,
    Switch, SwitchObjectOnFalse, SwitchObjectOnFalseOn, UploadPhotoArguments, UploadPhotoOutputs,
};

async fn search(arguments: SearchArguments, _: Context) -> Result<SearchOutputs, SearchError> {
    match arguments.type_ {
        SearchType::All if arguments.limit > 50 => Err(SearchError::TooMany.with_member("limit", arguments.limit)),
        SearchType::_2ndHand => Err(SearchError::_2fa),
        SearchType::New => Err(ApiError::unavailable("closed"))?,
        SearchType::All => {
            let stock = arguments.since.unwrap_or(7).unsigned_abs();
            Ok(vec![SearchOutputsItem { id: 1, price: 2.5, stock, category: None }])
        }
    }
}

async fn change(arguments: ChangeArguments, _: Context) -> Result<ChangeOutputs, ApiError> {
    let ChangeArguments { self_, event, shape, mixed, switch, prices, settings, person, outline, short, any, free } =
        arguments;
    assert!(self_);
    Ok(ChangeOutputs { event, shape, mixed, switch, prices, settings, person, outline, short, any, free })
}

async fn upload_photo(arguments: UploadPhotoArguments, _: Context) -> Result<UploadPhotoOutputs, ApiError> {
    let more: u64 = arguments.more.iter().flatten().map(rulebook::Upload::size).sum();
    Ok(UploadPhotoOutputs { bytes: arguments.photo.size() + more })
}

async fn photo(arguments: PhotoArguments, _: Context) -> Result<Download, ApiError> {
    Ok(Download::bytes(vec![0; usize::try_from(arguments.id).unwrap_or_default()]))
}

async fn label(arguments: LabelArguments, _: Context) -> Result<LabelOutputs, ApiError> {
    Ok(LabelOutputs { star: LabelBody { label: arguments.label }, caching: None, status: Some(201) })
}

async fn clear(_: ClearArguments, _: Context) -> Result<(), ApiError> {
    Ok(())
}

/// Returns the engine. Building it compares the generated types with the definition.
fn engine() -> Engine {
    let handlers = Handlers { search, change, upload_photo, photo, clear, label };
    Rulebook::load("tests/data/generated/api").verify_outputs(true).module(handlers.into_module()).build().unwrap()
}

fn call(id: &str, arguments: &Json) -> rulebook::Response {
    let engine = engine();
    let arguments = arguments.as_object().unwrap().iter();
    let call = arguments.fold(engine.call(id), |call, (name, value)| call.arg(name, value.clone()));
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(call.send())
}

#[test]
fn values_of_every_type_reach_the_handler_and_return() {
    let category = json!({ "name": "b", "parent": { "name": "a", "parent": null, "children": [], "labels": {} },
        "children": [], "labels": { "fr": "é" } });
    for (event, shape, mixed, switch) in [
        (
            json!({ "kind": "created", "id": 3 }),
            json!({ "shape": "circle", "radius": 1.5 }),
            json!({ "kind": "created", "id": 1 }),
            json!({ "on": true, "level": 5 }),
        ),
        (
            json!({ "kind": "moved", "to": category }),
            Json::Null,
            json!({ "kind": "round thing", "radius": 2.0 }),
            json!({ "on": false, "since": 7 }),
        ),
    ] {
        let outputs = json!({
            "event": event,
            "shape": shape,
            "mixed": mixed,
            "switch": switch,
            "prices": [
                { "version": 1, "cents": 5 },
                { "version": -2, "value": 2.5 },
                { "version": 1.5, "value": 0.5 },
            ],
            "settings": { "a": null, "b": 7, "c": "text", "d": [1, 2],
                "e": { "street": "s", "type": "work", "zipCode": null } },
            "person": { "name": "Ada" },
            "outline": { "Preface": {}, "Types": { "Maps": {} } },
            "short": "abc",
            "any": { "x": [1, null] },
            "free": { "y": 1 },
        });
        let mut arguments = outputs.clone();
        arguments["self"] = json!(true);
        assert_eq!(call("shop.change", &arguments).outputs().unwrap(), outputs);
    }
}

/// Returns the name of the declared error with which a call ended.
fn error_name(response: &rulebook::Response) -> &str {
    match response.error().unwrap().kind() {
        ErrorKind::Declared { name, .. } => name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn generated_errors_are_the_declared_errors() {
    let response = call("shop.search", &json!({ "limit": 60 }));
    assert_eq!((response.status(), error_name(&response)), (400, "too_many"));
    let response = call("shop.search", &json!({ "type": "2nd-hand" }));
    assert_eq!((response.status(), error_name(&response)), (403, "2fa"));
    assert_eq!(call("shop.search", &json!({ "type": "new" })).status(), 503);
    let found = json!([{ "id": 1, "price": 2.5, "stock": 7, "category": null }]);
    assert_eq!(call("shop.search", &json!({})).outputs().unwrap(), found);
}

#[test]
fn constants_accept_only_their_value() {
    assert_eq!(serde_json::from_value::<SwitchObjectOnFalseOn>(json!(false)).unwrap(), SwitchObjectOnFalseOn);
    let error = serde_json::from_value::<SwitchObjectOnFalseOn>(json!(true)).unwrap_err();
    assert_eq!(error.to_string(), "the value must be false");
    assert!(!bool::from(SwitchObjectOnFalseOn) && !SwitchObjectOnFalseOn::VALUE);
    let switch = Switch::ObjectOnFalse(SwitchObjectOnFalse { on: SwitchObjectOnFalseOn, since: Some(5) });
    assert_eq!(serde_json::to_value(switch).unwrap(), json!({ "on": false, "since": 5 }));
    assert!(serde_json::from_value::<Price>(json!({ "version": 3 })).is_err());
}

#[test]
fn values_can_be_created_and_compared_in_code() {
    assert_eq!("2nd-hand".parse::<SearchType>().unwrap(), SearchType::_2ndHand);
    assert_eq!(SearchType::_2ndHand.as_str(), "2nd-hand");
    assert!("none".parse::<SearchType>().is_err());
    let event: Event = serde_json::from_value(json!({ "kind": "created", "id": 3 })).unwrap();
    assert!(matches!(event, Event::Created(created) if created.id == 3));
    let shape = Shape::Circle(api::shop::Circle { radius: 1.0 });
    assert_eq!(serde_json::to_value(shape).unwrap(), json!({ "shape": "circle", "radius": 1.0 }));
    let setting: Setting = None;
    assert_eq!(serde_json::to_value(setting).unwrap(), Json::Null);
    let arguments =
        super::types::shop::SearchArguments { type_: None, limit: Some(3), since: None, tags: None, trace: None };
    assert_eq!(serde_json::to_value(arguments).unwrap()["limit"], 3);
}

#[test]
fn outputs_beside_the_whole_body_are_fields_of_the_generated_type() {
    let labeled = call("shop.label", &json!({ "id": 7, "label": "Front" }));
    assert_eq!((labeled.status(), labeled.outputs().unwrap()), (201, json!({ "label": "Front" })));
}
