//! The GitHub emulator of the tests of the trail.

#[path = "../../github/emulator.rs"]
pub mod emulator;
#[path = "../../github/manners.rs"]
pub mod manners;
#[path = "../../github/node.rs"]
pub mod node;
#[path = "../../program/mod.rs"]
pub mod program;
#[path = "../../github/proxy.rs"]
pub mod proxy;
#[path = "../../sample/mod.rs"]
pub mod sample;
#[path = "../../github/wire.rs"]
pub mod wire;
#[path = "../../github/world.rs"]
pub mod world;
