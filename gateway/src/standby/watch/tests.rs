//! Two loops joined by links in memory, on a paused clock.

mod asked;
mod broken;
mod chance;
mod life;
mod rig;
mod still;
mod together;

use std::time::Duration;

const BEAT: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_secs(3);
