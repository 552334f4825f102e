use super::compensation::Calibration;
use super::*;
use crate::clock::{ClockQuality, Stamp};
use crate::i2c::sim::{SimBus, SimulatedBme280};
use crate::reading::NoData;
use config::NodeId;
use proptest::prelude::*;

const ADDRESS: u16 = 0x76;

/// dig_T1 = 27504, dig_T2 = 26435, dig_T3 = -1000, dig_P1 = 36477, dig_P2 = -10685, dig_P3 = 3024, dig_P4 = 2855,
/// dig_P5 = 140, dig_P6 = -7, dig_P7 = 15500, dig_P8 = -14600, dig_P9 = 6000: the worked example of the datasheet
/// BST-BMP280-DS001, section 3.12, whose formulas are the same. dig_H1 = 75 is of a real chip.
const LOW: [u8; 26] = [
    0x70, 0x6b, 0x43, 0x67, 0x18, 0xfc, 0x7d, 0x8e, 0x43, 0xd6, 0xd0, 0x0b, 0x27, 0x0b, 0x8c, 0x00, 0xf9, 0xff, 0x8c,
    0x3c, 0xf8, 0xc6, 0x70, 0x17, 0x00, 0x4b,
];
/// dig_H2 = 362, dig_H3 = 0, dig_H4 = 313, dig_H5 = 50, dig_H6 = 30.
const HIGH: [u8; 7] = [0x6a, 0x01, 0x00, 0x13, 0x29, 0x03, 0x1e];

/// The data registers for these numbers.
fn data(adc_p: u32, adc_t: u32, adc_h: u16) -> [u8; 8] {
    let ([_, p @ ..], [_, t @ ..]) = ((adc_p << 4).to_be_bytes(), (adc_t << 4).to_be_bytes());
    [p.as_slice(), &t, &adc_h.to_be_bytes()].concat().try_into().unwrap()
}

fn compensated(adc_p: u32, adc_t: u32, adc_h: u16) -> [Result<f64, NoData>; 3] {
    Calibration::from_bytes(&LOW, &HIGH).compensate(&data(adc_p, adc_t, adc_h))
}

#[test]
fn the_worked_example_of_the_datasheet() {
    let [temperature, pressure, _] = compensated(415_148, 519_888, 28_000);
    assert_eq!(temperature, Ok(25.08));
    // The example prints 100653.27 Pa, which is the formula in doubles; the one in whole numbers gives 25767233 / 256.
    assert_eq!(pressure, Ok(100_653.253_906_25));
}

/// The humidity has no worked example; the datasheet's other formula, in double precision, must say the same.
fn humidity_in_doubles(adc_t: f64, adc_h: f64) -> f64 {
    let (t1, t2, t3) = (27_504.0, 26_435.0, -1000.0);
    let (h1, h2, h3, h4, h5, h6) = (75.0, 362.0, 0.0, 313.0, 50.0, 30.0);
    let var1 = (adc_t / 16_384.0 - t1 / 1024.0) * t2;
    let var2 = (adc_t / 131_072.0 - t1 / 8192.0) * (adc_t / 131_072.0 - t1 / 8192.0) * t3;
    let h = var1 + var2 - 76_800.0;
    let wet = adc_h - (h4 * 64.0 + h5 / 16_384.0 * h);
    let h = wet * (h2 / 65_536.0 * (1.0 + h6 / 67_108_864.0 * h * (1.0 + h3 / 67_108_864.0 * h)));
    (h * (1.0 - h1 * h / 524_288.0)).clamp(0.0, 100.0)
}

#[test]
fn humidity_agrees_with_the_formula_in_doubles() {
    let mut between_the_ends = 0;
    for adc_t in (380_000..640_000).step_by(20_000) {
        for adc_h in (15_000..50_000).step_by(2500) {
            let whole = compensated(415_148, adc_t, adc_h)[2].unwrap();
            let expected = humidity_in_doubles(f64::from(adc_t), f64::from(adc_h));
            assert!((whole - expected).abs() < 0.02, "{adc_t} {adc_h}: {whole} and {expected}");
            between_the_ends += u32::from(whole > 1.0 && whole < 99.0);
        }
    }
    assert!(between_the_ends > 50, "{between_the_ends}");
}

#[test]
fn signed_constants_of_12_bits_are_unpacked() {
    // dig_H4 = -2 (0xffe) and dig_H5 = -17 (0xfef) share the byte 0xfe.
    let negative = Calibration::from_bytes(&LOW, &[0x6a, 0x01, 0x00, 0xff, 0xfe, 0xfe, 0xff]);
    let shown = format!("{negative:?}");
    assert!(shown.contains("h: [75, 362, 0, -2, -17, -1]"), "{shown}");
}

#[test]
fn what_is_out_of_range_is_no_value() {
    let out = Err(NoData::OutOfRange);
    assert_eq!(compensated(415_148, 0xf_ffff, 28_000), [out; 3], "hotter than the chip can be");
    assert_eq!(compensated(415_148, 0, 28_000), [out; 3], "colder");
    let [temperature, pressure, humidity] = compensated(0, 519_888, 28_000);
    assert!(temperature.is_ok() && humidity.is_ok());
    assert_eq!(pressure, out);
    let unpowered = Calibration::from_bytes(&[0; 26], &[0; 7]);
    assert_eq!(unpowered.compensate(&data(415_148, 519_888, 28_000))[1], out, "the formula would divide by zero");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_chip_says_nothing_overflows_and_values_are_in_range(
        low: [u8; 26], high: [u8; 7], data: [u8; 8]
    ) {
        let ranges = [-40.0..=85.0, 30_000.0..=110_000.0, 0.0..=100.0];
        for (value, range) in Calibration::from_bytes(&low, &high).compensate(&data).into_iter().zip(ranges) {
            prop_assert!(value.is_err() || value.is_ok_and(|value| range.contains(&value)), "{:?}", value);
        }
    }
}

fn ask(driver: &mut Bme280, bus: &SimBus) -> Result<Vec<Reading>, Failure> {
    let stamp = Stamp { boot: 1, boottime_us: 2, wall_us: 3, quality: ClockQuality::Synced, error_us: None };
    let node = NodeId::new("shed").unwrap();
    driver.ask(&mut bus.clone(), &Asked { node: &node, address: ADDRESS, stamp })
}

fn bus_with(chip: SimulatedBme280) -> SimBus {
    let bus = SimBus::default();
    bus.plug(ADDRESS, Box::new(chip));
    bus
}

#[test]
fn a_chip_is_introduced_once_and_measured_each_time() {
    let (bus, mut driver) = (bus_with(SimulatedBme280::default()), Bme280::default());
    let readings = ask(&mut driver, &bus).unwrap();
    let shown: Vec<_> = readings.iter().map(|r| (r.channel.as_str(), r.unit.as_ref().unwrap().as_str())).collect();
    assert_eq!(shown, CHANNELS);
    let values: Vec<_> = readings.iter().map(|reading| reading.value.clone()).collect();
    assert_eq!(values[..2], [Ok(Value::Float(25.08)), Ok(Value::Float(100_653.253_906_25))]);
    assert!(matches!(values[2], Ok(Value::Float(percent)) if (30.0..60.0).contains(&percent)), "{values:?}");
    assert_eq!(bus.transfers(ADDRESS), 7, "identity, copying, two of calibration, start, status, data");
    let again = ask(&mut driver, &bus).unwrap();
    assert_eq!(bus.transfers(ADDRESS), 10, "start, status, data");
    assert_ne!(again[0].value, readings[0].value, "it was measured anew");
}

#[test]
fn another_chip_is_not_taken_for_this_one() {
    let failure = ask(&mut Bme280::default(), &bus_with(SimulatedBme280::with_id(0x58))).unwrap_err();
    assert_eq!(failure, Failure::OtherPart { part: "BME280", expected: 0x60, found: 0x58 });
    assert_eq!(failure.no_data(), NoData::BadFrame);
    assert_eq!(failure.to_string(), "the chip says that it is 0x58, and a BME280 is 0x60; correct part or address");
}

#[test]
fn an_empty_calibration_is_not_believed() {
    for byte in [0x00, 0xff] {
        let bus = SimBus::default();
        bus.plug(ADDRESS, Box::new(Empty { byte, chosen: 0 }));
        let failure = ask(&mut Bme280::default(), &bus).unwrap_err();
        assert_eq!(failure, Failure::Frame("the chip's calibration is empty".to_owned()));
    }
}

/// A chip that has its identity and nothing else.
struct Empty {
    byte: u8,
    chosen: u8,
}

impl crate::i2c::Chip for Empty {
    fn write(&mut self, bytes: &[u8]) {
        self.chosen = bytes[0];
    }

    fn read(&mut self, room: &mut [u8]) {
        room.fill(match self.chosen {
            ID => CHIP_ID,
            STATUS => 0,
            _ => self.byte,
        });
    }
}

#[test]
fn after_a_failure_the_chip_is_introduced_again() {
    let (bus, mut driver) = (bus_with(SimulatedBme280::default()), Bme280::default());
    ask(&mut driver, &bus).unwrap();
    bus.fail(ADDRESS, BusError::Incomplete { done: 1, of: 2 }, 1);
    assert_eq!(ask(&mut driver, &bus), Err(Failure::Bus(BusError::Incomplete { done: 1, of: 2 })));
    bus.plug(ADDRESS, Box::new(SimulatedBme280::with_id(0x58)));
    assert!(matches!(ask(&mut driver, &bus), Err(Failure::OtherPart { .. })));
}

/// A chip whose measurement never ends, or that restarts and has measured nothing.
struct Stubborn {
    chip: SimulatedBme280,
    status: u8,
    chosen: u8,
}

impl crate::i2c::Chip for Stubborn {
    fn write(&mut self, bytes: &[u8]) {
        // Longer writes would start a measurement.
        if let [register] = bytes {
            self.chosen = *register;
            self.chip.write(bytes);
        }
    }

    fn read(&mut self, room: &mut [u8]) {
        if self.chosen == STATUS { room.fill(self.status) } else { self.chip.read(room) }
    }
}

#[test]
fn a_chip_that_does_not_measure_gives_no_readings() {
    for status in [MEASURING, COPYING, 0] {
        let bus = SimBus::default();
        bus.plug(ADDRESS, Box::new(Stubborn { chip: SimulatedBme280::default(), status, chosen: 0 }));
        let failure = ask(&mut Bme280::default(), &bus).unwrap_err();
        assert_eq!((&failure, failure.no_data()), (&Failure::NotReady, NoData::Timeout), "status {status:#b}");
    }
}
