//! Certificate profiles and the ceremony that issues them.
