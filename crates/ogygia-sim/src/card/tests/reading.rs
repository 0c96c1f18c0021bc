//! Read Records, Read Record Multiple, Search, Read Binary.

use crate::VirtualCard;
use crate::testing::{TRANSPORT, selected, to_card as send};

fn prime() -> VirtualCard {
    selected("kit-prime-regular-v3", TRANSPORT)
}

/// The second transport application: records of 48 bytes, binary files, free ones.
fn second() -> VirtualCard {
    selected("kit-prime-regular-v3", "A000000291FF9111")
}

#[test]
fn one_record() {
    let mut card = prime();
    let contract = format!("00000F{}9000", "FF".repeat(26));
    for command in ["00B2014C00", "00B2014C1D", "00B2014C"] {
        assert_eq!(send(&mut card, command), contract);
    }
    assert_eq!(send(&mut card, "00B2014C03"), "00000F9000");
    assert_eq!(send(&mut card, "00B2014C1E"), "6C1D");
    assert_eq!(send(&mut card, "00B2004C1D"), "6A83");
    assert_eq!(send(&mut card, "00B2054C1D"), "6A83");
    assert_eq!(send(&mut card, "00B201241D"), "6A82");
    assert_eq!(send(&mut card, "00B2014B1D"), "6B00");
    assert_eq!(send(&mut card, "00B2011C1D"), "6982", "the ID file needs the PIN");
    assert_eq!(send(&mut card, "00B201041D"), "6982", "the refused file is current");
}

#[test]
fn the_current_file() {
    let mut card = prime();
    assert_eq!(send(&mut card, "00B201041D"), "6986");
    assert!(send(&mut card, "00A4090002202000").ends_with("9000"));
    assert!(send(&mut card, "00B2010403").starts_with("00000F"));
    assert_eq!(send(&mut selected("kit-light-classic-v3", TRANSPORT), "00B2013C1D").len(), 62);
    assert_eq!(send(&mut crate::testing::card("kit-prime-regular-v3"), "00B2013C1D"), "6A82");
}

#[test]
fn several_records() {
    let mut card = prime();
    let answer = send(&mut card, "00B2014D7C");
    assert_eq!(answer.len(), 2 * (4 * 31 + 2));
    assert!(answer.starts_with("011D00000F") && answer.contains("021D00000F"));
    assert_eq!(send(&mut card, "00B2034DFF").len(), 2 * (2 * 31 + 2), "what there is");
    assert_eq!(send(&mut card, "00B2014D00").len(), 2 * (4 * 31 + 2));
    assert_eq!(send(&mut card, "00B2014D40").len(), 2 * (2 * 31 + 2), "whole records only");
    assert_eq!(send(&mut card, "00B2014D3D").len(), 2 * (31 + 2), "one byte less than two of them");
    assert_eq!(send(&mut selected("prime2-legacy", "315449432E494341"), "94B2014D7C"), "6B00");
}

#[test]
fn old_cards_want_the_length() {
    let mut card = selected("prime2-tango", "315449432E494341");
    assert_eq!(send(&mut card, "94B2013C00"), "9000");
    assert_eq!(send(&mut card, "94B2013C1D").len(), 62);
    assert_eq!(send(&mut card, "94A4020002200100"), "6B00");
    assert!(send(&mut card, "94A4080002200100").ends_with("9000"));
}

#[test]
fn parts_of_records() {
    let mut card = second();
    // SFI 15: contracts of 64 bytes, FF at offset 10; 235 bytes take 23 parts of 10, there are 16.
    assert_eq!(send(&mut card, "00B301AD0454020A0100"), format!("{}9000", "FF".repeat(16)));
    assert_eq!(send(&mut card, "00B301AD0454020A1E00").len(), 2 * (7 * 30 + 2));
    assert!(send(&mut card, "00B301AD0454020A1E00").ends_with("6200"));
    assert_eq!(send(&mut card, "00B301AD0454023A0700"), "6A80");
    assert_eq!(send(&mut card, "00B301AD045402000000"), "6A80");
    assert_eq!(send(&mut card, "00B301AD045502000100"), "6A80");
    assert_eq!(send(&mut card, "00B301AD03540200 00".replace(' ', "").as_str()), "6700");
    assert_eq!(send(&mut card, "00B311AD0454020A0100"), "6A83");
    assert_eq!(send(&mut selected("kit-basic-v2", TRANSPORT), "00B3014D0454020A0100"), "6D00");
}

#[test]
fn search() {
    let mut card = second();
    assert_eq!(send(&mut card, "00A201AF05000A01FFFF00"), "100102030405060708090A0B0C0D0E0F109000");
    assert_eq!(send(&mut card, "00A201AF04000901FF00"), "009000");
    assert!(send(&mut card, "00A20FAF04810001FF00").starts_with("020F1000000000000000000000FF"));
    assert_eq!(send(&mut card, "00A201AF0500090100FF00"), "100102030405060708090A0B0C0D0E0F109000");
    assert_eq!(send(&mut card, "00A201AF03000901 00".replace(' ', "").as_str()), "6700");
    assert_eq!(send(&mut card, "00A201AF04003F02FF00"), "6A80");
    assert_eq!(send(&mut card, "00A211AF04000901FF00"), "6A83");
    assert_eq!(send(&mut card, "00A201AF06000A01FFFFFF00"), "6A80", "mask longer than data");
    assert_eq!(send(&mut selected("kit-light-classic-v3", TRANSPORT), "00A2014F04000001FF00"), "6D00");
}

#[test]
fn what_a_search_finds_must_fit_in_the_answer() {
    let mut profile = crate::Profile::builtin("kit-prime-regular-v3").unwrap().unwrap();
    profile.payload_capacity = 80;
    let mut card = VirtualCard::new(&profile, &crate::testing::keys()).unwrap();
    send(&mut card, "00A4040008A000000291FF911100");
    assert_eq!(send(&mut card, "00A201AF04010A01FF00"), "6400", "count, 16 numbers and 64 bytes");
    assert!(send(&mut card, "00A202AF04010A01FF00").ends_with("9000"));
}

#[test]
fn binary_files() {
    let mut card = selected("kit-prime-regular-v3", "D2760000850101");
    assert_eq!(send(&mut card, "00B081000F"), "000F2000FB00FA0406E104080000009000");
    assert_eq!(send(&mut card, "00B0810504"), "00FA04069000");
    assert_eq!(send(&mut card, "00B0811000"), "6A83");
    assert_eq!(send(&mut card, "00B0810010"), "6C0F");
    assert_eq!(send(&mut card, "00B0820001"), "009000");
    assert_eq!(send(&mut card, "00D60123021122"), "9000");
    assert_eq!(send(&mut card, "00D0012301CC"), "9000");
    assert_eq!(send(&mut card, "00B0012302"), "DD229000");
    assert_eq!(send(&mut card, "00D607FF021122"), "6700");
    assert_eq!(send(&mut card, "00D608000111"), "6A83");
    assert_eq!(send(&mut card, "00D6810001FF"), "6982");
    assert_eq!(send(&mut card, "00B0C10001"), "6B00");
    assert_eq!(send(&mut card, "00B2010C0F"), "6981");
    assert_eq!(send(&mut selected("kit-prime-regular-v3", TRANSPORT), "00B0870001"), "6981");
    assert_eq!(send(&mut selected("kit-prime-regular-v3", TRANSPORT), "00B0000001"), "6986");
    assert_eq!(send(&mut selected("kit-basic-v2", TRANSPORT), "00B0870001"), "6D00");
}
