/** The virtual machine sizes that a region offers, and the families whose cores quota counts. */

import type { Cloud, JsonObject } from '../../contract/index.ts';
import { NAMESPACE } from '../bodies/fields.ts';
import { ArmError } from '../../contract/index.ts';

export interface Size {
  name: string;
  /** As Azure spells it: 'standardDSv2Family'. */
  family: string;
  vCPUs: number;
  gpus: number;
  memoryGB: number;
  /** Local disk. */
  resourceVolumeMB: number;
}

/** family | name:vCPUs:memoryGB:local disk GB[:GPUs]; numbers as Azure publishes them. */
const CATALOGUE = `
standardDSv2Family | DS1_v2:1:3.5:7 DS2_v2:2:7:14 DS3_v2:4:14:28 DS4_v2:8:28:56 DS5_v2:16:56:112 DS11_v2:2:14:28 DS12_v2:4:28:56 DS13_v2:8:56:112 DS14_v2:16:112:224 DS15_v2:20:140:280
standardDv2Family | D1_v2:1:3.5:50 D2_v2:2:7:100 D3_v2:4:14:200 D4_v2:8:28:400 D12_v2:4:28:200 D13_v2:8:56:400 D14_v2:16:112:800
standardDSv3Family | D2s_v3:2:8:16 D4s_v3:4:16:32 D8s_v3:8:32:64 D16s_v3:16:64:128 D32s_v3:32:128:256 D48s_v3:48:192:384 D64s_v3:64:256:512
standardDDSv4Family | D2ds_v4:2:8:75 D4ds_v4:4:16:150 D8ds_v4:8:32:300 D16ds_v4:16:64:600 D32ds_v4:32:128:1200 D48ds_v4:48:192:1800 D64ds_v4:64:256:2400
standardESv3Family | E2s_v3:2:16:32 E4s_v3:4:32:64 E8s_v3:8:64:128 E16s_v3:16:128:256 E20s_v3:20:160:320 E32s_v3:32:256:512 E48s_v3:48:384:768 E64s_v3:64:432:864
standardEDSv4Family | E2ds_v4:2:16:75 E4ds_v4:4:32:150 E8ds_v4:8:64:300 E16ds_v4:16:128:600 E20ds_v4:20:160:750 E32ds_v4:32:256:1200 E48ds_v4:48:384:1800 E64ds_v4:64:504:2400
standardDASv4Family | D2as_v4:2:8:16 D4as_v4:4:16:32 D8as_v4:8:32:64 D16as_v4:16:64:128 D32as_v4:32:128:256 D48as_v4:48:192:384 D64as_v4:64:256:512 D96as_v4:96:384:768
standardEASv4Family | E2as_v4:2:16:32 E4as_v4:4:32:64 E8as_v4:8:64:128 E16as_v4:16:128:256 E20as_v4:20:160:320 E32as_v4:32:256:512 E48as_v4:48:384:768 E64as_v4:64:512:1024 E96as_v4:96:672:1344
standardFSv2Family | F2s_v2:2:4:16 F4s_v2:4:8:32 F8s_v2:8:16:64 F16s_v2:16:32:128 F32s_v2:32:64:256 F48s_v2:48:96:384 F64s_v2:64:128:512 F72s_v2:72:144:576
standardNCFamily | NC6:6:56:340:1 NC12:12:112:680:2 NC24:24:224:1440:4
standardNCSv3Family | NC6s_v3:6:112:736:1 NC12s_v3:12:224:1474:2 NC24s_v3:24:448:2948:4
Standard NCASv3_T4 Family | NC4as_T4_v3:4:28:180:1 NC8as_T4_v3:8:56:360:1 NC16as_T4_v3:16:110:360:1 NC64as_T4_v3:64:440:2880:4
StandardNCADSA100v4Family | NC24ads_A100_v4:24:220:958:1 NC48ads_A100_v4:48:440:1916:2 NC96ads_A100_v4:96:880:3832:4
standardNDSv2Family | ND40rs_v2:40:672:2948:8
Standard NDASv4_A100 Family | ND96asr_v4:96:900:6000:8
standardNVSv3Family | NV12s_v3:12:112:320:1 NV24s_v3:24:224:640:2
`;

export const SIZES: readonly Size[] = CATALOGUE.trim()
  .split('\n')
  .flatMap((line) => {
    const [family = '', sizes = ''] = line.split(' | ');
    return sizes.split(' ').map((entry) => {
      const [name, vCPUs, memoryGB, diskGB, gpus] = entry.split(':');
      return {
        name: `Standard_${name}`,
        family,
        vCPUs: Number(vCPUs),
        memoryGB: Number(memoryGB),
        resourceVolumeMB: Number(diskGB) * 1024,
        gpus: Number(gpus ?? 0),
      };
    });
  });

export const FAMILIES: readonly string[] = [...new Set(SIZES.map((size) => size.family))];

const SIZE_LIMITS = `${NAMESPACE}/locations/withdrawnSizes`;

function withdrawnId(region: string, name: string): string {
  return `/providers/${NAMESPACE}/locations/${region}/withdrawnSizes/${name}`;
}

/** Offers a size in a region, or withdraws it, for all subscriptions. Errors: 400 if there is no such size. */
export function setSizeOffered(cloud: Cloud, region: string, name: string, offered: boolean): void {
  const size = SIZES.find((known) => known.name.toLowerCase() === name.toLowerCase());
  if (!size) throw new ArmError(400, 'InvalidVmSize', `There is no virtual machine size '${name}'.`);
  const id = withdrawnId(region, size.name);
  if (offered) return void cloud.store.remove(id);
  const now = cloud.clock.now();
  const resource = { id, name: size.name, type: SIZE_LIMITS, properties: {} };
  cloud.store.put({ resource, hidden: {}, etag: '', region, createdAt: now, changedAt: now });
}

export function offeredSizes(cloud: Cloud, region: string): Size[] {
  return SIZES.filter((size) => !cloud.store.get(withdrawnId(region, size.name)));
}

/** The size of that name (any spelling of case) in the region. Errors: 400 SkuNotAvailable. */
export function requireSize(cloud: Cloud, region: string, name: string): Size {
  const found = offeredSizes(cloud, region).find((size) => size.name.toLowerCase() === name.toLowerCase());
  if (!found)
    throw new ArmError(
      400,
      'SkuNotAvailable',
      `The requested VM size '${name}' is not available in location '${region}'.`,
      { target: 'vmSize' },
    );
  return found;
}

/** A size in the shape of the `vmSizes` operation. */
export function showSize(size: Size): JsonObject {
  return {
    name: size.name,
    family: size.family,
    vCPUs: size.vCPUs,
    gpus: size.gpus,
    osVhdSizeMB: 1_047_552,
    maxResourceVolumeMB: size.resourceVolumeMB,
    memoryGB: size.memoryGB,
    lowPriorityCapable: true,
    premiumIO: size.name.toLowerCase().includes('s'),
    estimatedVMPrices: { billingCurrency: 'USD', unitOfMeasure: 'OneHour', values: prices(size) },
    supportedComputeTypes:
      size.vCPUs >= 2 ? ['AmlCompute', 'ComputeInstance', 'MIR'] : ['AmlCompute', 'ComputeInstance'],
  };
}

/** Rough prices: what matters to a reader is that they are there and keep their order. */
function prices(size: Size): JsonObject[] {
  const standard = Math.round((size.vCPUs * 0.06 + size.gpus * 0.9) * 100) / 100;
  const lowPriority = Math.round(standard * 20) / 100;
  return [
    { retailPrice: standard, osType: 'Linux', vmTier: 'Standard' },
    { retailPrice: lowPriority, osType: 'Linux', vmTier: 'LowPriority' },
  ];
}
