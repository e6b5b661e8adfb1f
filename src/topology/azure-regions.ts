/**
 * The regions of Azure, by name: "az account list-locations" of each cloud, and
 * https://learn.microsoft.com/azure/reliability/regions-list (public),
 * …/azure-government/documentation-government-get-started (US Government) and
 * https://learn.microsoft.com/azure/china/overview-datacenters (China). Azure adds regions, and private clouds have
 * their own: a name that is not here may be right.
 */
import { nearest } from './nearest.ts';

const publicRegions = `
  australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth brazilsoutheast
  canadacentral canadaeast centralindia centralus centraluseuap chilecentral denmarkeast eastasia eastus eastus2 eastus2euap
  francecentral francesouth germanynorth germanywestcentral indonesiacentral israelcentral italynorth japaneast japanwest
  jioindiacentral jioindiawest koreacentral koreasouth malaysiawest mexicocentral newzealandnorth northcentralus northeurope
  norwayeast norwaywest polandcentral qatarcentral southafricanorth southafricawest southcentralus southeastasia southindia
  spaincentral swedencentral swedensouth switzerlandnorth switzerlandwest uaecentral uaenorth uksouth ukwest westcentralus
  westeurope westindia westus westus2 westus3`;

const governmentRegions = 'usgovarizona usgoviowa usgovtexas usgovvirginia usdodcentral usdodeast';
const chinaRegions = 'chinaeast chinaeast2 chinaeast3 chinanorth chinanorth2 chinanorth3';

const azureRegions: readonly string[] = `${publicRegions} ${governmentRegions} ${chinaRegions}`.trim().split(/\s+/);

const known = new Set(azureRegions);
const geographies = new Set(azureRegions.map(geographyOf));

/**
 * Judges a region's name: it is known, a typo of a known one, or possibly new or of another cloud. Azure names a new
 * region in an existing geography by a direction or a number (`eastus3`), so such a name is not a typo, however
 * similar.
 */
export function judgeRegion(
  name: string,
): { is: 'known' } | { is: 'slip'; of: string } | { is: 'unknown'; near?: string } {
  if (known.has(name)) return { is: 'known' };
  const near = nearestRegion(name);
  if (near === undefined) return { is: 'unknown' };
  return geographies.has(geographyOf(name)) ? { is: 'unknown', near } : { is: 'slip', of: near };
}

/** Returns the known region that `name` probably means. Accepts display names ("West US 3") too. */
export function nearestRegion(name: string): string | undefined {
  return nearest(name, azureRegions);
}

/** The name without directions and numbers: `us` of `southcentralus`. */
function geographyOf(name: string): string {
  return name.replaceAll(/north|south|east|west|central|\d+/g, '');
}
