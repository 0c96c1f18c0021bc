use super::*;

#[test]
fn every_builtin_profile_reads_and_writes_back() {
    for (id, text) in builtin() {
        let profile = Profile::from_json(text).unwrap();
        assert_eq!(profile.id, id);
        let written = serde_json::to_string(&profile).unwrap();
        assert_eq!(Profile::from_json(&written).unwrap(), profile);
    }
    assert_eq!(builtin().len(), 26);
}

#[test]
fn an_unknown_identifier_is_nothing() {
    assert_eq!(Profile::builtin("kit-prime-regular-v9").unwrap(), None);
}

fn broken(from: &str, to: &str) -> ProfileError {
    let (_, text) = builtin().find(|(id, _)| *id == "kit-basic-v2").unwrap();
    assert!(text.contains(from));
    Profile::from_json(&text.replacen(from, to, 1)).unwrap_err()
}

#[test]
fn what_is_wrong_is_told() {
    assert!(matches!(Profile::from_json("{"), Err(ProfileError::Json { line: 1, .. })));
    assert!(matches!(broken("\"card_class\": \"00\"", "\"card_class\": \"0G\""), ProfileError::Json { .. }));
    assert!(matches!(broken("\"card_class\": \"00\"", "\"card_class\": \"0000\""), ProfileError::Json { .. }));
    assert_eq!(broken("card-profile/1", "card-profile/2"), ProfileError::Format("calypso-card-profile/2".into()));
    let wrong = |what, lid| ProfileError::Inconsistent { lid, what };
    assert_eq!(broken("\"records\": 1,", "\"records\": 0,"), wrong("file without content", 0x2001));
    assert_eq!(broken("\"sfi\": \"07\"", "\"sfi\": \"1F\""), wrong("short identifier above 1E", 0x2001));
    assert_eq!(broken("\"index\": 2", "\"index\": 3"), wrong("keys are not 1, 2, 3", 0x2000));
}

#[test]
fn debug_hides_the_pin() {
    let profile = Profile::builtin("kit-prime-regular-v3").unwrap().unwrap();
    assert!(!format!("{:?}", profile.pin).contains("30303030"));
}
