//! The simulated chips. Each measurement is the next step of a wave, so a run can be repeated.

use config::{ByteOrder, Field, Micro, MicroFormat, Part, Quantity};

/// A chip at its address.
pub trait Chip: Send {
    /// Takes the bytes of a write.
    fn write(&mut self, bytes: &[u8]);
    /// Fills the room of a read.
    fn read(&mut self, room: &mut [u8]);
}

/// A chip of the part that a node is configured as.
pub(super) fn chip_for(part: &Part) -> Box<dyn Chip> {
    match part {
        Part::Bme280 => Box::new(SimulatedBme280::default()),
        Part::Register { register, quantity } => {
            Box::new(RegisterChip { register: *register, quantity: quantity.clone(), chosen: 0, step: 0 })
        }
        Part::Micro(micro) => Box::new(MicroChip { micro: micro.clone(), step: 0 }),
    }
}

/// Up from 0 to 20 and down again, one a step.
fn wave(step: u32) -> u32 {
    let phase = step % 40;
    if phase < 20 { phase } else { 40 - phase }
}

/// Bytes that stand where the rest is 0xff, as on an idle bus.
fn fill(room: &mut [u8], bytes: &[u8]) {
    room.fill(0xff);
    room.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
}

/// A number around 110, as wide as the quantity is.
fn number(quantity: &Quantity, step: u32) -> Vec<u8> {
    let mut bytes = (100 + wave(step)).to_le_bytes().to_vec();
    bytes.truncate(usize::from(quantity.width));
    if quantity.order == ByteOrder::Big {
        bytes.reverse();
    }
    bytes
}

struct RegisterChip {
    register: u8,
    quantity: Quantity,
    chosen: u8,
    step: u32,
}

impl Chip for RegisterChip {
    fn write(&mut self, bytes: &[u8]) {
        self.chosen = bytes.first().copied().unwrap_or(self.chosen);
    }

    fn read(&mut self, room: &mut [u8]) {
        if self.chosen != self.register {
            return fill(room, &[]);
        }
        fill(room, &number(&self.quantity, self.step));
        self.step = self.step.wrapping_add(1);
    }
}

struct MicroChip {
    micro: Micro,
    step: u32,
}

impl Chip for MicroChip {
    fn write(&mut self, _bytes: &[u8]) {}

    fn read(&mut self, room: &mut [u8]) {
        match &self.micro.format {
            MicroFormat::Json => fill(room, self.object().as_bytes()),
            MicroFormat::Fields(fields) => self.fields(fields, room),
        }
        self.step = self.step.wrapping_add(1);
    }
}

impl MicroChip {
    /// The longest object that the configured read has room for.
    fn object(&self) -> String {
        let (step, value) = (self.step, 100 + wave(self.step));
        let known = [format!("{{\"seq\":{step},\"level\":{value}}}"), format!("{{\"v\":{value}}}")];
        known.into_iter().find(|text| text.len() <= usize::from(self.micro.bytes)).unwrap_or_default()
    }

    fn fields(&self, fields: &[Field], room: &mut [u8]) {
        room.fill(0);
        for field in fields {
            let places = room.iter_mut().skip(usize::from(field.at));
            places.zip(number(&field.quantity, self.step)).for_each(|(place, byte)| *place = byte);
        }
    }
}

const ID: usize = 0xd0;
const CALIBRATION_LOW: usize = 0x88;
const CALIBRATION_HIGH: usize = 0xe1;
const CTRL_MEAS: u8 = 0xf4;
const DATA: usize = 0xf7;

/// dig_T1 to dig_T3 and dig_P1 to dig_P9 of the worked example in Bosch's BMP280 datasheet, and dig_H1 of a real chip.
const LOW: [u8; 26] = [
    0x70, 0x6b, 0x43, 0x67, 0x18, 0xfc, 0x7d, 0x8e, 0x43, 0xd6, 0xd0, 0x0b, 0x27, 0x0b, 0x8c, 0x00, 0xf9, 0xff, 0x8c,
    0x3c, 0xf8, 0xc6, 0x70, 0x17, 0x00, 0x4b,
];
/// dig_H2 to dig_H6 of a real chip: 362, 0, 313, 50, 30.
const HIGH: [u8; 7] = [0x6a, 0x01, 0x00, 0x13, 0x29, 0x03, 0x1e];

/// A BME280 in a room: about 25 °C, 1007 hPa and 40 %.
pub struct SimulatedBme280 {
    registers: Box<[u8; 256]>,
    chosen: u8,
    step: u32,
}

impl Default for SimulatedBme280 {
    fn default() -> Self {
        Self::with_id(0x60)
    }
}

impl SimulatedBme280 {
    /// A chip that says it is something else (0x58 is a BMP280).
    pub fn with_id(id: u8) -> Self {
        let mut registers = Box::new([0; 256]);
        registers[ID] = id;
        registers[CALIBRATION_LOW..CALIBRATION_LOW + LOW.len()].copy_from_slice(&LOW);
        registers[CALIBRATION_HIGH..CALIBRATION_HIGH + HIGH.len()].copy_from_slice(&HIGH);
        // What stands there after power-on.
        [0, 3, 6].into_iter().for_each(|at| registers[DATA + at] = 0x80);
        Self { registers, chosen: 0, step: 0 }
    }

    /// Around the worked example: adc_T 519888 and adc_P 415148.
    fn measure(&mut self) {
        let wave = wave(self.step);
        self.step = self.step.wrapping_add(1);
        let (pressure, temperature) = (415_148 + wave * 16, 519_888 + wave * 160);
        let humidity = 28_000 + wave * 40;
        let bytes = |number: u32, width: usize| number.to_be_bytes().into_iter().skip(4 - width);
        let data = bytes(pressure << 4, 3).chain(bytes(temperature << 4, 3)).chain(bytes(humidity, 2));
        self.registers[DATA..].iter_mut().zip(data).for_each(|(place, byte)| *place = byte);
    }
}

impl Chip for SimulatedBme280 {
    /// A register's number alone chooses where to read; pairs of number and value set registers.
    fn write(&mut self, bytes: &[u8]) {
        if let [register] = bytes {
            self.chosen = *register;
        }
        for pair in bytes.chunks_exact(2) {
            self.registers[usize::from(pair[0])] = pair[1];
            if pair[0] == CTRL_MEAS && pair[1] & 0b11 != 0 {
                self.measure();
            }
        }
    }

    fn read(&mut self, room: &mut [u8]) {
        let from = usize::from(self.chosen);
        fill(room, &self.registers[from..]);
    }
}
