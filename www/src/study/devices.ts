import type { Device, DevicePreference } from "../engine.ts";

/** Where a reading may be wanted, and its name on the page; the first is what the page opens with. */
export const preferences: readonly { readonly id: DevicePreference; readonly name: string }[] = [
  { id: "auto", name: "Auto" },
  { id: "cpu", name: "CPU" },
  { id: "webgpu", name: "WebGPU" },
];

export function isDevicePreference(id: string | null): id is DevicePreference {
  return preferences.some((preference) => preference.id === id);
}

export const nameOf = (device: Device): string => (device === "cpu" ? "CPU" : "WebGPU");
