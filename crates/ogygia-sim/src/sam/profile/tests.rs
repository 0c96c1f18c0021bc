use super::*;

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
