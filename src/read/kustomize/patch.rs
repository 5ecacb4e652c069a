//! Patches: strategic merge, for kinds whose lists have no merge key, and JSON 6902.

use serde_json::{Map, Value};

/// What becomes of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Patched {
    /// It is changed, or left as it is.
    Stays,
    /// The patch takes it out.
    Deleted,
}

/// Merges a patch into an object: mappings key by key, lists as a whole, `null` takes a key out. None of the kinds that
/// bear on access has a list with a merge key.
pub(super) fn merge(object: &mut Value, patch: &Value) -> Patched {
    match directive(patch) {
        Some("delete") => return Patched::Deleted,
        Some("replace") => {
            *object = without_directives(patch);
            return Patched::Stays;
        }
        _ => {}
    }
    let (Some(own), Some(changes)) = (object.as_object_mut(), patch.as_object()) else {
        *object = without_directives(patch);
        return Patched::Stays;
    };
    for (key, change) in changes {
        if key.starts_with('$') {
            continue;
        }
        if change.is_null() {
            own.remove(key);
            continue;
        }
        let slot = own.entry(key.clone()).or_insert(Value::Null);
        if merge(slot, change) == Patched::Deleted {
            own.remove(key);
        }
    }
    Patched::Stays
}

fn directive(patch: &Value) -> Option<&str> {
    patch.get("$patch").and_then(Value::as_str)
}

/// A value of a patch without what only tells how to merge it.
fn without_directives(patch: &Value) -> Value {
    match patch {
        Value::Object(fields) => {
            let own = fields.iter().filter(|(key, value)| !key.starts_with('$') && !value.is_null());
            Value::Object(own.map(|(key, value)| (key.clone(), without_directives(value))).collect())
        }
        Value::Array(items) => {
            let is_item = |item: &&Value| directive(item).is_none();
            items.iter().filter(is_item).map(without_directives).collect()
        }
        other => other.clone(),
    }
}

/// Applies the operations of a JSON patch.
///
/// # Errors
/// If one of them cannot be applied: then kustomize fails.
pub(super) fn apply(object: &mut Value, operations: &[Value]) -> Result<(), ()> {
    for operation in operations {
        let field = |key: &str| operation.get(key).and_then(Value::as_str);
        let path = field("path").ok_or(())?;
        let value = || operation.get("value").cloned().unwrap_or(Value::Null);
        match field("op").ok_or(())? {
            "add" => add(object, path, value())?,
            "remove" => {
                remove(object, path)?;
            }
            "replace" => {
                // Kustomize takes a field that is not there for an addition.
                match object.pointer_mut(path) {
                    Some(known) => *known = value(),
                    None => add(object, path, value())?,
                }
            }
            "copy" => {
                let copied = object.pointer(field("from").ok_or(())?).ok_or(())?.clone();
                add(object, path, copied)?;
            }
            "move" => {
                let moved = remove(object, field("from").ok_or(())?)?;
                add(object, path, moved)?;
            }
            "test" if object.pointer(path) == operation.get("value") => {}
            _ => return Err(()),
        }
    }
    Ok(())
}

/// The container that a path leads into, and the last part of the path.
fn container<'v>(object: &'v mut Value, path: &str) -> Result<(&'v mut Value, String), ()> {
    let (above, last) = path.rsplit_once('/').ok_or(())?;
    let last = last.replace("~1", "/").replace("~0", "~");
    Ok((object.pointer_mut(above).ok_or(())?, last))
}

fn add(object: &mut Value, path: &str, value: Value) -> Result<(), ()> {
    if path.is_empty() {
        *object = value;
        return Ok(());
    }
    // Kustomize makes the mappings on the way that are missing.
    let (above, _) = path.rsplit_once('/').ok_or(())?;
    let parts: Vec<String> =
        above.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    let mut at = &mut *object;
    for part in parts {
        at = match at {
            Value::Object(fields) => fields.entry(part).or_insert_with(|| Value::Object(Map::new())),
            Value::Array(items) => items.get_mut(part.parse::<usize>().map_err(|_| ())?).ok_or(())?,
            _ => return Err(()),
        };
    }
    let (container, last) = container(object, path)?;
    match container {
        Value::Object(fields) => {
            fields.insert(last, value);
        }
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => {
            let index: usize = last.parse().map_err(|_| ())?;
            if index > items.len() {
                return Err(());
            }
            items.insert(index, value);
        }
        null @ Value::Null => *null = Value::Object(Map::from_iter([(last, value)])),
        _ => return Err(()),
    }
    Ok(())
}

fn remove(object: &mut Value, path: &str) -> Result<Value, ()> {
    let (container, last) = container(object, path)?;
    match container {
        Value::Object(fields) => fields.remove(&last).ok_or(()),
        Value::Array(items) => {
            let index: usize = last.parse().map_err(|_| ())?;
            if index < items.len() { Ok(items.remove(index)) } else { Err(()) }
        }
        _ => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_strategic_merge_joins_mappings_and_replaces_lists() {
        let object =
            json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "rules": [1, 2], "data": {"k": "v"}});
        for (patch, expected) in [
            (json!({}), object.clone()),
            (
                json!({"rules": [3]}),
                json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "rules": [3], "data": {"k": "v"}}),
            ),
            (
                json!({"metadata": {"labels": {"b": null, "c": "3"}}, "data": {"k": "w"}}),
                json!({"metadata": {"labels": {"a": "1", "c": "3"}}, "rules": [1, 2], "data": {"k": "w"}}),
            ),
            (
                json!({"rules": null, "data": {"$patch": "delete"}}),
                json!({"metadata": {"labels": {"a": "1", "b": "2"}}}),
            ),
            (
                json!({"metadata": {"$patch": "replace", "labels": {"c": "3"}}}),
                json!({"metadata": {"labels": {"c": "3"}}, "rules": [1, 2], "data": {"k": "v"}}),
            ),
            (json!({"$patch": "replace", "rules": [{"$patch": "replace"}, 4]}), json!({"rules": [4]})),
        ] {
            let mut merged = object.clone();
            assert_eq!(merge(&mut merged, &patch), Patched::Stays);
            assert_eq!(merged, expected, "{patch}");
        }
        assert_eq!(merge(&mut object.clone(), &json!({"$patch": "delete"})), Patched::Deleted);
    }

    #[test]
    fn a_json_patch_does_its_operations_in_order() {
        let object = json!({"rules": [{"verbs": ["get"]}], "a/b": 1});
        for (operations, expected) in [
            (
                json!([{"op": "add", "path": "/rules/0/verbs/-", "value": "list"}]),
                Ok(json!({"rules": [{"verbs": ["get", "list"]}], "a/b": 1})),
            ),
            (
                json!([{"op": "add", "path": "/rules/0", "value": 1}]),
                Ok(json!({"rules": [1, {"verbs": ["get"]}], "a/b": 1})),
            ),
            (
                json!([{"op": "replace", "path": "/a~1b", "value": 2}]),
                Ok(json!({"rules": [{"verbs": ["get"]}], "a/b": 2})),
            ),
            (
                json!([{"op": "remove", "path": "/rules/0"}, {"op": "move", "from": "/a~1b", "path": "/c"}]),
                Ok(json!({"rules": [], "c": 1})),
            ),
            (
                json!([{"op": "copy", "from": "/a~1b", "path": "/c"}, {"op": "test", "path": "/c", "value": 1}]),
                Ok(json!({"rules": [{"verbs": ["get"]}], "a/b": 1, "c": 1})),
            ),
            (
                json!([{"op": "add", "path": "/m/l~1x", "value": 1}]),
                Ok(json!({"rules": [{"verbs": ["get"]}], "a/b": 1, "m": {"l/x": 1}})),
            ),
            (json!([{"op": "test", "path": "/a~1b", "value": 5}]), Err(())),
            (
                json!([{"op": "replace", "path": "/no", "value": 2}]),
                Ok(json!({"rules": [{"verbs": ["get"]}], "a/b": 1, "no": 2})),
            ),
            (json!([{"op": "remove", "path": "/rules/4"}]), Err(())),
        ] {
            let mut patched = object.clone();
            let applied = apply(&mut patched, operations.as_array().unwrap());
            assert_eq!(applied.map(|()| patched), expected, "{operations}");
        }
    }
}
