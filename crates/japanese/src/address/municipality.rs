//! Where the municipality ends, guessed from its last letter.
//!
//! 市 ends a city in 若葉市寿町, and belongs to the name in 市川市, 四日市市 and 十日市場町. A wrong guess costs little, because
//! towns are compared by their ends; so a doubtful one is no municipality at all.
//! Invariant: the end is a position in the given letters, and a town name alone (寿町) is never taken for a municipality.

use super::letters::{is_kanji_numeral, starts};

/// Cities with wards. After folding for addresses, so 堺 and 浜 stand in their folded forms.
const WARD_CITIES: [&[char]; 20] = [
    &['札', '幌', '市'],
    &['仙', '台', '市'],
    &['さ', 'い', 'た', 'ま', '市'],
    &['千', '葉', '市'],
    &['横', '浜', '市'],
    &['川', '崎', '市'],
    &['相', '模', '原', '市'],
    &['新', '潟', '市'],
    &['静', '岡', '市'],
    &['浜', '松', '市'],
    &['名', '古', '屋', '市'],
    &['京', '都', '市'],
    &['大', '阪', '市'],
    &['堺', '市'],
    &['神', '戸', '市'],
    &['岡', '山', '市'],
    &['広', '島', '市'],
    &['北', '九', '州', '市'],
    &['福', '岡', '市'],
    &['熊', '本', '市'],
];

/// Longest name of a ward, with 区: 保土ケ谷区.
const WARD_LETTERS_MAX: usize = 5;
/// Longest name of a city, with 市: かすみがうら市, いちき串木野市.
const CITY_LETTERS_MAX: usize = 8;

/// The end of the municipality in folded letters without spaces; 0 when none is seen.
pub(crate) fn end(name: &[char], behind_prefecture: bool) -> usize {
    let city = city_end(name, behind_prefecture);
    let county = county_end(name);
    match (county, city) {
        (Some(county), Some(city)) if city < county => city_with_ward(name, city),
        (Some(county), _) => county_town_end(name, county),
        (None, Some(city)) => city_with_ward(name, city),
        (None, None) => ward_end(name, 0).unwrap_or_else(|| bare_town_end(name, behind_prefecture)),
    }
}

/// The end of a city's name.
fn city_end(name: &[char], behind_prefecture: bool) -> Option<usize> {
    let last = name.len().min(CITY_LETTERS_MAX);
    for index in 1..last {
        if name[index] != '市' {
            continue;
        }
        let end = index + 1;
        match name.get(end) {
            // 四日市市, 廿日市市, 野々市市; but 若葉市市場町.
            Some('市') if matches!(name[index - 1], '日' | '々') => return Some(end + 1),
            // 余市郡, 高市郡: a county.
            Some('郡') => continue,
            // 八日市場市 is a city; 市場 alone is a name.
            Some('場') if name.get(end + 1) == Some(&'市') => return Some(end + 2),
            Some('場') => continue,
            // 五日市町, 八日市一丁目 without its city.
            Some(_) if name[index - 1] == '日' && !behind_prefecture => continue,
            Some('町' | '村' | '川') if end + 1 == name.len() && !behind_prefecture => continue,
            Some(_) => return Some(end),
            // 下田市2丁目 has no town; 古市1丁目 without its city is one.
            None if behind_prefecture => return Some(end),
            None => {}
        }
    }
    None
}

fn city_with_ward(name: &[char], city: usize) -> usize {
    let with_wards = WARD_CITIES.iter().any(|known| known[0] == name[0] && *known == &name[..city]);
    if with_wards { ward_end(name, city).unwrap_or(city) } else { city }
}

/// The end of a ward that begins at a position and has something behind it or a city before it.
fn ward_end(name: &[char], start: usize) -> Option<usize> {
    let rest = &name[start.min(name.len())..];
    let length = rest.iter().take(WARD_LETTERS_MAX).position(|&c| c == '区')? + 1;
    // 三区 and 西地区 are parts of a town.
    let part = length >= 2 && (is_kanji_numeral(rest[length - 2]) || rest[length - 2] == '地');
    let complete = length >= 2 && (start > 0 || length < rest.len());
    (complete && !part).then_some(start + length)
}

/// The end of a county's name (郡).
fn county_end(name: &[char]) -> Option<usize> {
    let index = name.iter().take(6).skip(1).position(|&c| c == '郡')? + 1;
    // 蒲郡市, 小郡市, 大和郡山市 are cities; 西八代郡市川三郷町 is not.
    let city = index == 1 && name.get(2) == Some(&'市') || starts(name, index, "郡山市");
    (!city).then_some(index + 1)
}

/// The end of the town or village of a county; the county's own end when there is none.
fn county_town_end(name: &[char], county: usize) -> usize {
    for index in county + 1..name.len().min(county + 8) {
        if !matches!(name[index], '町' | '村') {
            continue;
        }
        // 玉村町, 大町町: the name holds the letter itself.
        let longer = name.get(index + 1) == Some(&'町');
        return index + 1 + usize::from(longer);
    }
    county
}

/// The end of a town or village without a county: only behind a prefecture or before 大字, else it is a town's own name.
fn bare_town_end(name: &[char], behind_prefecture: bool) -> usize {
    for index in 1..name.len().min(CITY_LETTERS_MAX) {
        if !matches!(name[index], '町' | '村') {
            continue;
        }
        let behind = &name[index + 1..];
        let marked = starts(behind, 0, "大字") || starts(behind, 0, "字");
        if marked || behind_prefecture && !behind.is_empty() {
            return index + 1;
        }
    }
    0
}
