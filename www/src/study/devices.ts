import type { Device, DevicePreference } from "../engine.ts";
import { devices, preferences as names } from "./strings.ts";

/** Where a reading may be wanted, and its name on the page; the first is what the page opens with. */
export const preferences: readonly { readonly id: DevicePreference; readonly name: string }[] = [
  { id: "auto", name: names.auto },
  { id: "cpu", name: names.cpu },
  { id: "webgpu", name: names.webgpu },
];

export function isDevicePreference(id: string | null): id is DevicePreference {
  return preferences.some((preference) => preference.id === id);
}

export const nameOf = (device: Device): string => devices[device];
