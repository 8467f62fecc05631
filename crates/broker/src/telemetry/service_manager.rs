//! The service manager: telling systemd how the broker is doing.
//!
//! Outside systemd nothing is told to anybody and nothing fails. A word that does not arrive is logged and no more: the
//! manager acts on its own clock anyway.

use std::time::Duration;

use sd_notify::NotifyState;

/// The service manager that started this process, if one did.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceManager;

impl ServiceManager {
    /// The port is open and calls are answered.
    pub fn ready(self) {
        tell(NotifyState::Ready);
    }

    /// The broker stops, and may need `shutdown_grace` for it.
    pub fn stopping(self) {
        tell(NotifyState::Stopping);
    }

    /// Gives a sign of life twice per watchdog interval, for as long as it is polled. `alive` says whether there is any;
    /// without one for a whole interval, systemd restarts the broker.
    pub async fn watchdog(self, alive: impl Fn() -> bool) {
        let Some(interval) = sd_notify::watchdog_enabled() else {
            return std::future::pending().await;
        };
        let mut ticks = tokio::time::interval((interval / 2).max(Duration::from_millis(1)));
        loop {
            ticks.tick().await;
            if alive() {
                tell(NotifyState::Watchdog);
            }
        }
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd could not be told");
    }
}
