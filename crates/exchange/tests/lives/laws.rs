//! What must hold of any life, by oracles that know nothing of how the broker finds it out.

use renkei_types::BatchId;

use crate::life::{Day, Event, FAMILIES, House, Life, Named, People, Which};
use crate::village::{KeptVillage, Village};

const BOTH: [Which; 2] = [Which::First, Which::Second];

/// A law that is broken: what happened.
type Broken = Result<(), String>;

fn hold(is_kept: bool, told: impl FnOnce() -> String) -> Broken {
    if is_kept { Ok(()) } else { Err(told()) }
}

/// Whichever of two lists is certified first, equally many payments go out, nobody is paid twice, and both are paid who have nothing
/// to do with each other.
pub(crate) fn order(start: &KeptVillage, life: &Life) -> Broken {
    let lived = start.lived(life).keep();
    let paid = |lists: [Which; 2]| {
        let mut village = lived.go_on();
        lists.into_iter().for_each(|which| village.certify(which));
        village
    };
    let (one, other) = (paid(BOTH), paid([Which::Second, Which::First]));
    let told = || format!("first, second: {:?}; second, first: {:?}", one.paid(), other.paid());
    hold(one.paid().len() == other.paid().len(), told)?;
    let is_left_out = |event: &Event| matches!(event, Event::Stopped(_) | Event::Excluded(_));
    if are_strangers(life) && !life.events.iter().any(is_left_out) && is_linked(&one) {
        hold(one.paid().len() == 2, || format!("strangers, of whom are paid {:?}", one.paid()))?;
    }
    for village in [one, other] {
        once(life, village)?;
    }
    Ok(())
}

/// A proposal that was drawn up early and is signed late never leads to fewer payments than one that is drawn up late.
pub(crate) fn early(start: &KeptVillage, life: &Life) -> Broken {
    let mut late = start.lived(&life.linked_alone());
    BOTH.into_iter().for_each(|which| late.certify(which));
    let lived = start.lived(life).keep();
    for which in BOTH {
        goes_out(&lived, which)?;
    }
    for lists in [BOTH, [Which::Second, Which::First]] {
        let mut early = lived.go_on();
        lists.into_iter().for_each(|which| early.sign(which));
        // Whoever waited for what does not stand any more is paid when it is asked again.
        [lists, lists].into_iter().flatten().for_each(|which| early.certify(which));
        let told = || format!("late: {:?}; {lists:?} early: {:?}", late.paid(), early.paid());
        hold(late.paid().len() <= early.paid().len(), told)?;
        once(life, early)?;
    }
    Ok(())
}

/// What is signed late and goes out would be proposed again, to the same payees, if nobody had proposed it early.
fn goes_out(lived: &KeptVillage, which: Which) -> Broken {
    let (mut signed, mut anew) = (lived.go_on(), lived.go_on());
    let Some(early) = signed.proposal(which) else { return Ok(()) };
    signed.sign(which);
    let found = anew.propose(which).map(|found| anew.rows(found.batch)).unwrap_or_default();
    // Who waits for the other list's proposal is paid by the one that is signed first.
    let is_alone = BOTH.into_iter().filter(|list| signed.proposal(*list).is_some()).count() == 0;
    let goes_out = !signed.paid().is_empty() && !signed.waits(early) && is_alone;
    hold(!goes_out || found == signed.rows(early), || format!("{which:?} goes out"))
}

/// Nobody is paid twice, whatever was paid on the way.
pub(crate) fn on_the_way(start: &KeptVillage, life: &Life) -> Broken {
    let mut village = start.lived(life);
    BOTH.into_iter().for_each(|which| village.certify(which));
    once(life, village)
}

/// No person is paid twice, nor a household of which nobody ever parted, also where it has another number later, nor one together with
/// whom a division counts to it.
fn once(life: &Life, mut village: Village) -> Broken {
    let paid = village.paid();
    for person in 0..FAMILIES.len() {
        let times = paid.iter().filter(|one| **one == person).count();
        hold(times <= 1, || format!("{person} is paid {times} times"))?;
    }
    if let [(person, House::Old(family), before)] = village.still_one() {
        let is_one = |one: &&usize| *one == person || FAMILIES[**one] == *family;
        let [before, after] = [before, &paid].map(|paid| paid.iter().filter(is_one).count());
        let told = || format!("{person} is of family {family}, which is paid {paid:?}");
        let is_clear = divisions(life) == 1 && !has_parted(life, *family);
        hold(!is_clear || after <= before.max(1), told)?;
    }
    for family in 0..2 {
        let of_family = |person: &&usize| FAMILIES[**person] == family;
        let Some(first) = paid.iter().find(of_family) else { continue };
        if divisions(life) > 0 || has_parted(life, family) {
            continue;
        }
        let told = || format!("family {family} is paid {:?}", village.paid());
        hold(paid.iter().filter(of_family).count() == 1, told)?;
        village.meet(Event::Delta(People::Family(family), House::New(2), Day::Before));
        let others: Vec<usize> = (0..FAMILIES.len())
            .filter(|other| FAMILIES[*other] == family && other != first && village.is_here(*other))
            .collect();
        if !others.is_empty() {
            let list = village.list(&format!("again-{family}"), &others);
            let again = village.propose_list(list).is_some();
            hold(!again, || format!("{first} is paid, and {others:?} of the family again"))?;
        }
    }
    Ok(())
}

/// A stop on any id holds the same lines when it is placed before a proposal as after it, and a proposal of long before waits for it
/// too where it has them. A stop on anybody of a family of which nobody ever parted holds it, whatever divisions say.
pub(crate) fn stop(start: &KeptVillage, life: &Life) -> Broken {
    let mut village = start.lived(life);
    let houses = [House::Old(0), House::Old(1), House::New(0), House::New(1)];
    let named = (0..FAMILIES.len()).map(Named::Person).chain(houses.map(Named::Number));
    let named: Vec<Named> = named.collect();
    for which in BOTH {
        let early = village.proposal(which);
        let stopped = early.map(|early| stops_of(&village, early, &named)).unwrap_or_default();
        for &named in &named {
            let Some(proposed) = village.propose(which) else { break };
            let before = village.rows(proposed.batch);
            if !village.stop(named) {
                continue;
            }
            let waits = village.waits(proposed.batch);
            let again = village.propose(which);
            let after = again.map(|found| village.rows(found.batch)).unwrap_or_default();
            let told =
                || format!("{which:?} {named:?}: waits: {waits}; {before:?}, then {after:?}");
            hold(waits == (before != after), told)?;
            let family = FAMILIES[life.names[which as usize]];
            let is_meant = village.is_of(named, family) && !has_parted(life, family);
            hold(waits || !is_meant, || format!("{which:?} {named:?} goes out"))?;
            let waited = early.is_none() || !waits || stopped.contains(&named);
            hold(waited, || format!("{which:?} {named:?}: what was proposed early goes out"))?;
            village.lift(named);
        }
    }
    Ok(())
}

/// The stops for which a batch waits.
fn stops_of(village: &Village, batch: BatchId, named: &[Named]) -> Vec<Named> {
    let mut stops = named.to_vec();
    stops.retain(|named| {
        let is_placed = village.stop(*named);
        let waits = village.waits(batch);
        if is_placed {
            village.lift(*named);
        }
        waits
    });
    stops
}

/// Whether members of a family ever went different ways, or lived with others.
fn has_parted(life: &Life, family: usize) -> bool {
    let mut here = FAMILIES.map(|of| of == family);
    let mut is_parted = have_met(life) || has_parted_in_hindsight(life, family);
    for event in &life.events {
        match *event {
            Event::Delta(People::One(person), ..) | Event::File(People::One(person), ..) => {
                let is_alone = here.iter().filter(|is_here| **is_here).count() == 1;
                is_parted |= here[person] && !is_alone;
            }
            Event::Gone(person, _) | Event::Succeeded(person, ..) => here[person] = false,
            Event::Delta(..) | Event::File(..) => {}
            Event::Linked(_) | Event::Proposed(_) | Event::Certified(_) | Event::CameBack(_) => {}
            Event::Apart(_) | Event::StillOne(..) | Event::Stopped(_) | Event::Excluded(_) => {}
        }
    }
    is_parted
}

/// Whether one of a family was there on the base date and is gone since, and the others were elsewhere by then, as a late notice says when
/// she is gone: she had a household of her own. Who was paid or proposed before that notice was paid for all of them.
fn has_parted_in_hindsight(life: &Life, family: usize) -> bool {
    let (mut is_left_alone, mut was_there) = (false, false);
    for event in &life.events {
        let (of, day, is_gone) = match *event {
            Event::Gone(person, day) | Event::Succeeded(person, _, day) => {
                (FAMILIES[person], day, true)
            }
            Event::Delta(People::One(person), _, day)
            | Event::File(People::One(person), _, day) => (FAMILIES[person], day, false),
            Event::Delta(People::Family(of), _, day) | Event::File(People::Family(of), _, day) => {
                (of, day, false)
            }
            Event::Linked(_) | Event::Proposed(_) | Event::Certified(_) | Event::CameBack(_) => {
                continue;
            }
            Event::Apart(_) | Event::StillOne(..) | Event::Stopped(_) | Event::Excluded(_) => {
                continue;
            }
        };
        if of == family {
            is_left_alone |= was_there && day == Day::Before;
            was_there |= is_gone && day != Day::Before;
        }
    }
    is_left_alone
}

/// How often a division names somebody.
fn divisions(life: &Life) -> usize {
    let is_division = |event: &&Event| matches!(event, Event::Apart(_) | Event::StillOne(..));
    life.events.iter().filter(is_division).count()
}

/// Whether the two families ever had a number in common.
fn have_met(life: &Life) -> bool {
    let mut had = [0, 1].map(|family| vec![House::Old(family)]);
    for event in &life.events {
        if let Event::Delta(people, house, _) | Event::File(people, house, _) = *event {
            let family = match people {
                People::One(person) => FAMILIES[person],
                People::Family(family) => family,
            };
            had[family].push(house);
        }
        if let Event::Succeeded(person, house, _) = *event {
            had[FAMILIES[person]].push(house);
        }
    }
    had[0].iter().any(|house| had[1].contains(house))
}

/// Whether the two who are named have nothing to do with each other.
fn are_strangers(life: &Life) -> bool {
    let [one, other] = life.names.map(|person| FAMILIES[person]);
    one != other && !have_met(life) && divisions(life) == 0
}

fn is_linked(village: &Village) -> bool {
    BOTH.into_iter().all(|which| village.has_list(which))
}
