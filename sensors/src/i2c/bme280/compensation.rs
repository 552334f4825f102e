//! From the chip's numbers to °C, Pa and %: the whole-number formulas of sections 4.2.3 and 8.2. Pure.
//!
//! All in 128 bits, so that no calibration, however wrong, overflows; what comes out of range is not a value.

use crate::reading::NoData;
use std::ops::RangeInclusive;

/// What the chip measures, sections 1.1 to 1.3: °C times 100, Pa times 256, % times 1024.
const TEMPERATURE: RangeInclusive<i128> = -4000..=8500;
const PRESSURE: RangeInclusive<i128> = 30_000 * 256..=110_000 * 256;
const HUMIDITY: RangeInclusive<i128> = 0..=100 * 1024;

/// A chip's own constants, by the datasheet's names and numbers (dig_T1 is `t[0]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calibration {
    t: [i128; 3],
    p: [i128; 9],
    h: [i128; 6],
}

impl Calibration {
    /// From the registers 0x88 to 0xa1 and 0xe1 to 0xe7, section 4.2.2.
    pub fn from_bytes(low: &[u8; 26], high: &[u8; 7]) -> Self {
        let unsigned = |at: usize| i128::from(u16::from_le_bytes([low[at], low[at + 1]]));
        let signed = |at: usize| i128::from(i16::from_le_bytes([low[at], low[at + 1]]));
        let byte = |at: usize| i128::from(i8::from_le_bytes([high[at]]));
        // Two numbers of 12 bits share the byte 0xe5.
        let (low_nibble, high_nibble) = (i128::from(high[4] & 0x0f), i128::from(high[4] >> 4));
        Self {
            t: [unsigned(0), signed(2), signed(4)],
            p: [6, 8, 10, 12, 14, 16, 18, 20, 22].map(|at| if at == 6 { unsigned(at) } else { signed(at) }),
            h: [
                i128::from(low[25]),
                i128::from(i16::from_le_bytes([high[0], high[1]])),
                i128::from(high[2]),
                (byte(3) << 4) | low_nibble,
                (byte(5) << 4) | high_nibble,
                byte(6),
            ],
        }
    }

    /// °C, Pa and % from the registers 0xf7 to 0xfe. Without a temperature in range the others cannot be told.
    pub fn compensate(&self, data: &[u8; 8]) -> [Result<f64, NoData>; 3] {
        let bits_20 = |at: usize| join(&data[at..at + 3]) >> 4;
        let (adc_p, adc_t, adc_h) = (bits_20(0), bits_20(3), join(&data[6..8]));
        let t_fine = self.t_fine(adc_t);
        let temperature = within(&TEMPERATURE, (t_fine * 5 + 128) >> 8, 100.0);
        if temperature.is_err() {
            return [Err(NoData::OutOfRange); 3];
        }
        let pressure = self.pressure(adc_p, t_fine).ok_or(NoData::OutOfRange);
        let pressure = pressure.and_then(|pressure| within(&PRESSURE, pressure, 256.0));
        [temperature, pressure, within(&HUMIDITY, self.humidity(adc_h, t_fine), 1024.0)]
    }

    /// The temperature as the other formulas want it.
    fn t_fine(&self, adc_t: i128) -> i128 {
        let [t1, t2, t3] = self.t;
        let var1 = (((adc_t >> 3) - (t1 << 1)) * t2) >> 11;
        let var2 = (((((adc_t >> 4) - t1) * ((adc_t >> 4) - t1)) >> 12) * t3) >> 14;
        var1 + var2
    }

    /// Pa times 256; none where the formula would divide by zero.
    fn pressure(&self, adc_p: i128, t_fine: i128) -> Option<i128> {
        let [p1, p2, p3, p4, p5, p6, p7, p8, p9] = self.p;
        let var1 = t_fine - 128_000;
        let var2 = var1 * var1 * p6 + ((var1 * p5) << 17) + (p4 << 35);
        let var1 = ((var1 * var1 * p3) >> 8) + ((var1 * p2) << 12);
        let var1 = (((1 << 47) + var1) * p1) >> 33;
        let p = (((1_048_576 - adc_p) << 31) - var2) * 3125;
        let p = p.checked_div(var1)?;
        let var1 = (p9 * (p >> 13) * (p >> 13)) >> 25;
        let var2 = (p8 * p) >> 19;
        Some(((p + var1 + var2) >> 8) + (p7 << 4))
    }

    /// % times 1024, kept between 0 and 100 % as the datasheet does: noise near the ends is not a fault.
    fn humidity(&self, adc_h: i128, t_fine: i128) -> i128 {
        let [h1, h2, h3, h4, h5, h6] = self.h;
        let v = t_fine - 76_800;
        let wet = ((adc_h << 14) - (h4 << 20) - h5 * v + 16_384) >> 15;
        let warm = (((((v * h6) >> 10) * (((v * h3) >> 11) + 32_768)) >> 10) + 2_097_152) * h2;
        let v = wet * ((warm + 8192) >> 14);
        let v = v - (((((v >> 15) * (v >> 15)) >> 7) * h1) >> 4);
        v.clamp(0, 419_430_400) >> 12
    }
}

fn join(bytes: &[u8]) -> i128 {
    bytes.iter().fold(0, |number, byte| (number << 8) | i128::from(*byte))
}

fn within(range: &RangeInclusive<i128>, value: i128, parts: f64) -> Result<f64, NoData> {
    let value = i32::try_from(value).ok().filter(|value| range.contains(&i128::from(*value)));
    value.map(|value| f64::from(value) / parts).ok_or(NoData::OutOfRange)
}
