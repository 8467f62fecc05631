use super::*;
use std::io::Cursor;

fn detected(bytes: &[u8]) -> Detected {
    detect(&mut Cursor::new(bytes)).expect("bytes in memory")
}

fn read_by(room: usize, bytes: &[u8], encoding: Encoding) -> Vec<u8> {
    let mut transcoder = Transcoder::new(bytes, encoding).expect("not UTF-8");
    let (mut text, mut buffer) = (Vec::new(), vec![0; room]);
    loop {
        match transcoder.read(&mut buffer).expect("memory") {
            0 => return text,
            read => text.extend(&buffer[..read]),
        }
    }
}

fn read(bytes: &[u8], encoding: Encoding) -> Vec<u8> {
    read_by(1 << 16, bytes, encoding)
}

#[test]
fn a_byte_order_mark_decides() {
    for (bytes, encoding) in [
        (&b"\xEF\xBB\xBFa,b\n"[..], Encoding::Utf8),
        (b"\xFF\xFEa\0,\0", Encoding::Utf16Le),
        (b"\xFE\xFF\0a\0,", Encoding::Utf16Be),
    ] {
        assert_eq!(detected(bytes), Detected { encoding, bom: true });
    }
}

#[test]
fn utf16_without_a_mark_is_known_by_its_line_ends() {
    let text = "宛名番号\t氏名\r\n1\t山田\r\n";
    let low: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let high: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(detected(&low).encoding, Encoding::Utf16Le);
    assert_eq!(detected(&high).encoding, Encoding::Utf16Be);
}

#[test]
fn ascii_and_nothing_are_utf8() {
    assert_eq!(detected(b"").encoding, Encoding::Utf8);
    assert_eq!(detected(b"a,b\n1,2\n").encoding, Encoding::Utf8);
    assert_eq!(detected(&b"a,b\n".repeat(100_000)).encoding, Encoding::Utf8);
}

#[test]
fn japanese_is_told_apart_by_its_lines() {
    let text = "宛名番号,氏名\n1,谷口　光弘\n2,ｱﾝﾄﾞｳ\n";
    assert_eq!(detected(text.as_bytes()).encoding, Encoding::Utf8);
    let cp932 = encode_cp932(text).expect("letters of CP932");
    assert_eq!(detected(&cp932).encoding, Encoding::Cp932);
}

#[test]
fn one_broken_byte_does_not_turn_a_file_into_another_encoding() {
    let mut utf8 = "1,谷口　光弘,千葉県\n".repeat(50).into_bytes();
    utf8[3] = 0xFF;
    assert_eq!(detected(&utf8).encoding, Encoding::Utf8);
    let mut cp932 = encode_cp932(&"1,谷口　光弘,千葉県\n".repeat(50)).expect("letters of CP932");
    cp932[2] = 0xFF;
    assert_eq!(detected(&cp932).encoding, Encoding::Cp932);
}

#[test]
fn evidence_is_looked_for_behind_long_ascii() {
    let mut bytes = b"1,2,3\n".repeat(100_000);
    bytes.extend(encode_cp932("4,谷口,5\n").expect("letters of CP932"));
    assert_eq!(detected(&bytes).encoding, Encoding::Cp932);
}

#[test]
fn a_broken_letter_leaves_the_delimiter_behind_it() {
    assert_eq!(read(b"\x81,b\n", Encoding::Cp932), b"\xFF,b\n");
    assert_eq!(read(b"ab\x81", Encoding::Cp932), b"ab\xFF");
    // A surrogate without its partner, then an odd byte at the end.
    assert_eq!(read(b"\x00\xD8a\0b", Encoding::Utf16Le), b"\xFFa\xFF");
}

#[test]
fn transcoding_is_complete_over_every_buffer_size() {
    let text = "千葉県若葉市平和1746,ﾔｶﾜ ｼﾞﾕﾝｷ\n".repeat(5_000);
    let cp932 = encode_cp932(&text).expect("letters of CP932");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for room in [ROOM_MIN, 17, 64, 4_097, 1 << 20] {
        assert_eq!(read_by(room, &cp932, Encoding::Cp932), text.as_bytes());
        assert_eq!(read_by(room, &wide, Encoding::Utf16Be), text.as_bytes());
    }
    assert!(
        Transcoder::new(&b"a"[..], Encoding::Cp932).expect("not UTF-8").read(&mut [0; 8]).is_err()
    );
}

#[test]
fn letters_that_cp932_lacks_are_never_substituted() {
    assert_eq!(encode_cp932("髙﨑"), Some(vec![0xFB, 0xFC, 0xFA, 0xB1]));
    for letter in ["𠮷", "〜", "圡"] {
        assert_eq!(encode_cp932(letter), None, "{letter}");
    }
}
