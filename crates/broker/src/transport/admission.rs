//! Admission: how many connections there may be, together and from one address.
//!
//! Counted from the accepted socket on, so that half-open handshakes count as well: a thousand of them from one address
//! leave all other places free.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;
use crate::config::Limits;
use crate::telemetry;

/// The places for connections.
#[derive(Debug)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
    per_peer_max: u32,
    by_peer: Mutex<HashMap<IpAddr, u32>>,
}

/// A place that a connection holds; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    admission: Arc<Admission>,
    peer: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    /// As many places as `limits` says.
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        // Unwrap safety: the limits end at a million, far below what a semaphore can count.
        let places = usize::try_from(limits.connections_max).unwrap_or(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            per_peer_max: limits.connections_per_peer_max,
            by_peer: Mutex::default(),
        })
    }

    /// A place for a connection from `address`.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Place, Refusal> {
        let permit =
            self.places.clone().try_acquire_owned().map_err(|_| Refusal::TooManyConnections)?;
        let peer = peer_network(address);
        let mut by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_peer.entry(peer).or_default();
        if *count >= self.per_peer_max {
            return Err(Refusal::TooManyFromAddress);
        }
        *count += 1;
        telemetry::connection_opened();
        Ok(Place { admission: self.clone(), peer, _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_peer = self.admission.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_peer.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                by_peer.remove(&self.peer);
            }
        }
        telemetry::connection_closed();
    }
}

/// What counts as one peer. An owner of IPv6 has a /64 at least, and could use another address for each connection.
fn peer_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(connections_max: u32, connections_per_peer_max: u32) -> Arc<Admission> {
        Admission::new(&Limits { connections_max, connections_per_peer_max, ..Limits::default() })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let admission = admission(1, 1);
        let place = admission.admit(address("192.0.2.1")).expect("the only place");
        let full = admission.admit(address("192.0.2.2"));
        assert_eq!(full.err(), Some(Refusal::TooManyConnections));
        drop(place);
        assert!(admission.admit(address("192.0.2.2")).is_ok());
        assert!(admission.by_peer.lock().expect("no panic").is_empty());
    }

    #[test]
    fn one_address_cannot_take_the_places_of_others() {
        let admission = admission(10, 1);
        let _place = admission.admit(address("192.0.2.1")).expect("a place");
        for same in ["192.0.2.1", "::ffff:192.0.2.1"] {
            let refused = admission.admit(address(same)).err();
            assert_eq!(refused, Some(Refusal::TooManyFromAddress), "{same}");
        }
        assert!(admission.admit(address("192.0.2.2")).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one_peer() {
        let admission = admission(10, 1);
        let _place = admission.admit(address("2001:db8::1")).expect("a place");
        assert!(admission.admit(address("2001:db8::2")).is_err());
        assert!(admission.admit(address("2001:db8:0:1::1")).is_ok());
    }
}
