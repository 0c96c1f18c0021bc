use super::*;
use crate::{KeySet, VirtualSam};

#[test]
fn every_builtin_profile_reads_and_writes_back() {
    for (id, text) in builtin() {
        let profile = SamProfile::from_json(text).unwrap();
        assert_eq!(profile.id, id);
        let written = serde_json::to_string(&profile).unwrap();
        assert_eq!(SamProfile::from_json(&written).unwrap(), profile);
    }
    assert_eq!(SamProfile::builtin("sam-none").unwrap(), None);
}

/// A profile with the members behind those that must be there.
fn with(members: &str) -> Result<SamProfile, SetupError> {
    SamProfile::from_json(&format!(
        r#"{{"format": "ogygia-sam-profile/1", "id": "a", "title": "b", "product": "c1", {members}}}"#
    ))
}

#[test]
fn what_is_wrong_is_told_with_its_member() {
    assert_eq!(
        SamProfile::from_json(r#"{"format": "ogygia-sam-profile/2", "id": "a", "title": "b", "product": "c1"}"#),
        Err(SetupError::Format("ogygia-sam-profile/2".into()))
    );
    for (members, member) in [
        (r#""counters": {"27": {}}"#, "counters.27"),
        (r#""counters": {"3": {"value": 16777216}}"#, "counters.3.value"),
        (r#""counters": {"3": {"ceiling": 16777211}}"#, "counters.3.ceiling"),
        (r#""counters": {"0": {"free": true}}"#, "counters.0.free"),
        (r#""work_keys": [{"kif": "30", "kvc": "79", "record": 127}]"#, "work_keys[0].record"),
        (r#""work_keys": [{"kif": "30", "kvc": "79", "record": 0}]"#, "work_keys[0].record"),
        (r#""work_keys": [{"kif": "30", "kvc": "79"}, {"kif": "30", "kvc": "79"}]"#, "work_keys[1].kif"),
        (
            r#""work_keys": [{"kif": "30", "kvc": "79", "record": 1}, {"kif": "30", "kvc": "78", "record": 1}]"#,
            "work_keys[1].record",
        ),
        (r#""work_keys": [{"kif": "30", "kvc": "79", "counter": 0}]"#, "work_keys[0].counter"),
        (
            r#""work_keys": [{"kif": "30", "kvc": "79", "counter": 4, "parameters": "31000005000000000000"}]"#,
            "work_keys[0].counter",
        ),
        (
            r#""system_keys": {"reloading": {"kvc": "F3", "parameters": "3100001B000000000000"}}"#,
            "system_keys.reloading.parameters",
        ),
        (r#""lock": {"index": "01", "master": "a", "value": "000102030405060708090A0B0C0D0E0F"}"#, "lock.value"),
        (r#""authority_counter": 27"#, "authority_counter"),
    ] {
        match with(members) {
            Err(SetupError::Member { member: found, .. }) => assert_eq!(found, member),
            other => panic!("{members}: {other:?}"),
        }
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_member() {
    for (members, told) in [
        (r#""colour": 1"#, "unknown field `colour`"),
        (r#""counters": {"3": {"limit": 1}}"#, "unknown field `limit`"),
        (r#""system_keys": {"reload": {"kvc": "F3"}}"#, "unknown variant `reload`"),
        (r#""system_keys": {"reloading": {"counter": 3}}"#, "missing field `kvc`"),
        (r#""work_keys": [{"kif": "30", "kvc": "7"}]"#, "kvc: not hexadecimal"),
        ("\"lock\": {\"index\": \"01\",\n \"value\": \"0011\"}", "value: wrong number of hexadecimal digits"),
        (r#""parameters": "00""#, "parameters: wrong number of hexadecimal digits"),
        (r#""key_set": 1"#, "key_set: invalid type"),
        (r#""counters": {"3": {"ceiling": -1}}"#, "ceiling: invalid value"),
    ] {
        let error = with(members).unwrap_err();
        assert!(matches!(error, SetupError::Json { .. }));
        assert!(error.to_string().contains(told), "{error}");
    }
    let error = SamProfile::from_json(r#"{"format": "ogygia-sam-profile/1", "id": "a", "title": "b"}"#).unwrap_err();
    assert!(error.to_string().contains("missing field `product`"));
    assert!(SamProfile::from_json("").is_err());
    assert!(SamProfile::from_json("{").is_err());
    let error = SamProfile::from_json(r#"{"format": "ogygia-sam-profile/1", "product": "c2"}"#).unwrap_err();
    assert!(error.to_string().contains("product: unknown variant `c2`"), "{error}");
}

#[test]
fn debug_hides_values() {
    let profile = with(r#""lock": {"index": "01", "value": "A0A1A2A3A4A5A6A7A8A9AAABACADAEAF"}"#).unwrap();
    let text = format!("{profile:?}");
    assert!(text.contains("Key(..)") && !text.contains("A0A1") && !text.contains("160"), "{text}");
}

#[test]
fn a_profile_may_be_contradicted_by_hand() {
    let mut profile = SamProfile::builtin("sam-target").unwrap().unwrap();
    profile.authority_counter = Some(99);
    assert!(VirtualSam::personalized(&profile, [1; 4], &KeySet::new(b"a")).is_err());
}
