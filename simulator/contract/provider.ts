/**
 * What a provider of the local Azure is made of: rows of a table, one a resource type. A row says the path, the verbs,
 * the region whose outage takes the type down, and what is long-running; code stands only where a type has a life of
 * its own. The ARM envelope (api-versions, ids, errors, paging, long-running operations) is `arm/`, once for all rows.
 */

import type { ArmError } from './arm-error.ts';
import type { Cloud, Principal } from './cloud.ts';
import type { Json, JsonObject } from './json.ts';
import type { Resource, ResourceId, Stored } from './resource.ts';

/** One request at a row. `existing` is what the store holds under this id. */
export interface Call {
  cloud: Cloud;
  id: ResourceId;
  /** What is asked: some PATCHes may change less than a PUT may. */
  verb: Verb | 'action';
  apiVersion: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: JsonObject;
  existing: Stored | undefined;
  principal: Principal;
  /**
   * The local Azure was restarted in the middle of this long-running action and asks again for its `finish`: answer the
   * same `longRunning` without checking the state that the first call has already changed.
   */
  resumed?: boolean;
  /** Asked by the cloud itself, or by a deployment in it: no client's request. */
  within?: true;
}

export type Verb = 'get' | 'head' | 'put' | 'patch' | 'delete' | 'list';

/** What an action (POST) answers: at once, or as a long-running operation of so many milliseconds. */
export interface ActionResult {
  status?: number;
  body?: Json;
  /**
   * If set: 202 with Azure-AsyncOperation, Location and Retry-After; `finish` runs at the end and gives the final body.
   */
  longRunning?: { milliseconds: number; finish?: () => Json | undefined | Promise<Json | undefined> };
}

/** One resource type. */
export interface ResourceType {
  /** Full type, in Azure's spelling: 'Microsoft.MachineLearningServices/workspaces/models/versions'. */
  type: string;
  verbs: readonly Verb[];
  /**
   * `own`: the body's `location`; `parent`: the parent's region; `either`: as `own` where it has one; `global`: no
   * region takes it down.
   */
  region: 'own' | 'parent' | 'either' | 'global';
  /** Milliseconds on the cloud's clock for the operations that are long-running. Absent: done at once. */
  longRunning?: { put?: number; patch?: number; delete?: number };
  /** Does a DELETE answer what was deleted? Unless said, it answers no body. */
  showsDeleted?: boolean;
  /** How many entries a list page holds (default 10: small, so that no client gets away without paging). */
  pageSize?: number;
  /** Status of a PUT that creates (201 unless said). 202: the body comes by `Location` when the operation has ended. */
  createdStatus?: 200 | 201 | 202;
  /** Status of a PUT or PATCH of what exists (200 unless said). */
  updatedStatus?: 200 | 201 | 202;
  /**
   * Whether `properties.provisioningState` is kept by the envelope (Creating/Updating → Succeeded/Failed, Deleting).
   * Unless said: true exactly for the rows with `longRunning`. A row without it sets its own, if the type has one.
   */
  provisioningState?: boolean;
  /**
   * Secret fields of a body, as paths ('properties.credentials.secrets'): moved, after `beforePut`, to `hidden` under
   * the path itself (`stored.hidden['properties.credentials.secrets']`) and never shown. A PUT or PATCH without the
   * field keeps it.
   */
  secrets?: readonly string[];
  /**
   * Fields that a PUT or PATCH may not change once created ('properties.modelUri'). A change is a 400
   * `PropertyChangeNotAllowed`; a body without the field keeps it.
   */
  immutable?: readonly string[];
  /**
   * Before a PUT or PATCH is stored: validate (throw an ArmError), fill defaults and read-only fields. `next` is the
   * resource that will be stored, already merged with id, name, type, systemData; change it in place.
   */
  beforePut?(call: Call, next: Stored): void | Promise<void>;
  /**
   * After it is stored (or, if long-running, when the operation has succeeded), before `afterPut`: what a PUT writes
   * into the store beside the resource itself (parts that are resources of their own), and into file shares. It does
   * nothing else: what-if runs it, too, on a draft.
   */
  spreads?(call: Call, stored: Stored): void;
  /** After it is stored (or, if long-running, when the operation has succeeded). */
  afterPut?(call: Call, stored: Stored): void | Promise<void>;
  /**
   * The work of a PUT whose length nobody knows (a deployment): the answer goes out when it is stored, the long-running
   * operation ends when this resolves and fails when it rejects. Started again, with `call.resumed`, after a restart in
   * its midst.
   */
  runs?(call: Call, stored: Stored): Promise<void>;
  /**
   * A PUT whose direct parent is missing is not refused, as a version of an asset makes its container: `beforePut` (or
   * what it calls) creates the parent. The resources above the parent must exist; `region: 'parent'` is then that of
   * the nearest that does. A list below a missing parent is empty.
   */
  impliesParent?: boolean;
  /** The row's own `beforePut` and actions say which of the resources above must exist; the envelope asks for none. */
  checksParents?: boolean;
  /**
   * What a client is told that would write or delete a resource whose operation is in progress, the same PUT again
   * included. Unless there is one: `AnotherOperationInProgress`, and the same PUT again joins the operation.
   */
  busy?(stored: Stored): ArmError;
  /**
   * Refuses a name that no resource of this type can have; asked of the resources of a template before anything is
   * made.
   */
  requireName?(cloud: Cloud, id: ResourceId): void;
  beforeDelete?(call: Call, stored: Stored): void | Promise<void>;
  /** A DELETE of what is not there, before its 204 goes out: a soft-deleted name is purged so. */
  deleteMissing?(call: Call): void | Promise<void>;
  /** Runs once the resource is gone; also for each resource that goes with its parent or resource group. */
  afterDelete?(call: Call, stored: Stored): void | Promise<void>;
  /** What a GET finds under a name that nothing is stored under: 'azureml_default' is a component's latest version. */
  alias?(cloud: Cloud, id: ResourceId): Stored | undefined;
  /** What a GET or a list shows, where it differs from what is stored (a job's status as the clock now has it). */
  show?(cloud: Cloud, stored: Stored): Resource;
  /** What `$expand` adds to the properties of a GET; each name is as the client spelt it. */
  expand?(cloud: Cloud, stored: Stored, names: string[]): Promise<JsonObject>;
  /**
   * The region that must be up for this to be answered, where it is not the resource's own: one to fail over is asked
   * of the secondary.
   */
  answeredBy?(stored: Stored, ask: { action: string } | { expand: string }): string | null;
  /** Filters a list by the row's own query parameters ($filter, listViewType, tags, latestVersionOnly, …). */
  list?(call: Call, entries: Stored[]): Stored[];
  /**
   * `list` depends on nothing but the entries and the query: it is made once for all pages of it, until an entry
   * changes.
   */
  listsOnce?: true;
  /** POST {id}/{action}, by the action's name in lower case. */
  actions?: Record<string, (call: Call) => ActionResult | Promise<ActionResult>>;
  /** Actions (lower case) that may be asked of an id that does not exist yet: a deployment's `validate`. */
  actionsWithoutResource?: readonly string[];
}

/** A provider: its rows, and what it must set going when the local Azure starts (timers, data-plane handlers). */
export interface Provider {
  namespace: string;
  types: readonly ResourceType[];
  /**
   * The row of a type that none of the providers has, made when it is first asked for; undefined: there is no such
   * type.
   */
  unlisted?(type: string): ResourceType | undefined;
  /**
   * Throws for what is not offered, though one of the rows would answer it. Asked of every request, before the rows.
   */
  refuses?(request: { method: string; path: string }): void;
  start?(cloud: Cloud): void | Promise<void>;
  /** Ends what `start` and the rows have set going outside this process, when the local Azure stops. */
  stop?(cloud: Cloud): Promise<void>;
  /**
   * Requests at paths that are no resource ('/subscriptions/x/providers/…/locations/y/usages'); undefined: not mine.
   */
  route?(request: {
    cloud: Cloud;
    method: string;
    path: string;
    query: URLSearchParams;
    body: JsonObject;
    apiVersion: string;
  }): Promise<{ status: number; body?: Json; headers?: Record<string, string> } | undefined>;
}
