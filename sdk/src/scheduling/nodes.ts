import { amounts, type Node } from '../api/index.ts';
import { CPU, EPHEMERAL_STORAGE, MEMORY, NodeChange, type NodeTable, PODS, type PodInfo } from '../roles/scheduler-policy.ts';
import { InternedLabels } from './label-column.ts';

/** Derived columns kept at once. A policy asks for one per distinct selector or toleration list in use. */
const DERIVED_LIMIT = 512;

interface Derived {
  changes: number;
  compute: (node: Node, slot: number) => number;
  values: Int32Array;
  usedAt: number;
}

/** The nodes of the cluster in columns: see {@link NodeTable} for what readers may rely on. */
export class Nodes implements NodeTable {
  size = 0;
  count = 0;
  live = new Uint8Array(64);
  allocatable: Float64Array[] = [];
  requested: Float64Array[] = [];
  nonZeroMilliCpu: Float64Array = new Float64Array(64);
  nonZeroMemory: Float64Array = new Float64Array(64);
  #objects: (Node | undefined)[] = [];
  #slots = new Map<string, number>();
  #free: number[] = [];
  #columns = new Map<string, number>();
  #columnNames: string[] = [];
  #derived = new Map<string, Derived>();
  #labels = new Map<string, InternedLabels>();
  #uses = 0;

  constructor() {
    // The order is the contract's: CPU, MEMORY, EPHEMERAL_STORAGE, PODS.
    for (const [name, column] of [
      ['cpu', CPU],
      ['memory', MEMORY],
      ['ephemeral-storage', EPHEMERAL_STORAGE],
      ['pods', PODS],
    ] as const) {
      if (this.resource(name) !== column) throw new Error(`resource ${name} has to be column ${column}`);
    }
  }

  get capacity(): number {
    return this.live.length;
  }

  resource(name: string): number {
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = this.#columnNames.length;
      this.#columns.set(name, column);
      this.#columnNames.push(name);
      this.allocatable.push(new Float64Array(this.capacity));
      this.requested.push(new Float64Array(this.capacity));
    }
    return column;
  }

  resourceName(column: number): string {
    return this.#columnNames[column] ?? '';
  }

  node(slot: number): Node {
    return this.#objects[slot] as Node;
  }

  name(slot: number): string {
    return this.#objects[slot]?.metadata.name ?? '';
  }

  slot(name: string): number {
    return this.#slots.get(name) ?? -1;
  }

  derive(key: string, changes: number, compute: (node: Node, slot: number) => number): Int32Array {
    let column = this.#derived.get(key);
    if (column === undefined) {
      if (this.#derived.size >= DERIVED_LIMIT) this.#dropOldDerived();
      column = { changes, compute, values: new Int32Array(this.capacity), usedAt: 0 };
      this.#derived.set(key, column);
      for (let slot = 0; slot < this.size; slot++) if (this.live[slot]) column.values[slot] = compute(this.node(slot), slot);
    }
    column.usedAt = ++this.#uses;
    return column.values;
  }

  label(key: string): InternedLabels {
    let column = this.#labels.get(key);
    if (column === undefined) {
      column = new InternedLabels(key, this.capacity);
      this.#labels.set(key, column);
      for (let slot = 0; slot < this.size; slot++) if (this.live[slot]) column.set(slot, this.node(slot).metadata.labels);
    }
    return column;
  }

  /** Puts the node into its slot, or a new one, and says where and in what it changed (0: nothing scheduling reads). */
  put(node: Node): { slot: number; changes: number } {
    const name = node.metadata.name ?? '';
    let slot = this.slot(name);
    let changes: number;
    if (slot < 0) {
      slot = this.#free.pop() ?? this.size++;
      if (slot >= this.capacity) this.#grow();
      this.#slots.set(name, slot);
      this.live[slot] = 1;
      this.count++;
      for (const column of this.requested) column[slot] = 0;
      this.nonZeroMilliCpu[slot] = 0;
      this.nonZeroMemory[slot] = 0;
      changes = NodeChange.Any;
    } else {
      changes = nodeChanges(this.node(slot), node);
    }
    this.#objects[slot] = node;
    if (changes & NodeChange.Allocatable) this.#setAllocatable(slot, node);
    if (changes & NodeChange.Labels) for (const column of this.#labels.values()) column.set(slot, node.metadata.labels);
    if (changes) {
      for (const column of this.#derived.values()) if (column.changes & changes) column.values[slot] = column.compute(node, slot);
    }
    return { slot, changes };
  }

  remove(slot: number): void {
    this.#slots.delete(this.name(slot));
    this.#objects[slot] = undefined;
    this.live[slot] = 0;
    this.count--;
    this.#free.push(slot);
  }

  /** Takes (`sign` 1) or gives back (-1) what the pod requests. */
  charge(slot: number, pod: PodInfo, sign: 1 | -1): void {
    const { columns, amounts: wanted } = pod.requests;
    for (let i = 0; i < columns.length; i++) {
      const column = this.requested[columns[i] as number] as Float64Array;
      column[slot] = (column[slot] as number) + sign * (wanted[i] as number);
    }
    this.nonZeroMilliCpu[slot] = (this.nonZeroMilliCpu[slot] as number) + sign * pod.nonZeroMilliCpu;
    this.nonZeroMemory[slot] = (this.nonZeroMemory[slot] as number) + sign * pod.nonZeroMemory;
  }

  #setAllocatable(slot: number, node: Node): void {
    for (const column of this.allocatable) column[slot] = 0;
    for (const [name, amount] of amounts(node.status?.allocatable)) {
      const column = this.resource(name);
      (this.allocatable[column] as Float64Array)[slot] = amount;
    }
  }

  #grow(): void {
    const capacity = this.capacity * 2;
    const larger = (old: Float64Array): Float64Array => {
      const column = new Float64Array(capacity);
      column.set(old);
      return column;
    };
    const live = new Uint8Array(capacity);
    live.set(this.live);
    this.live = live;
    this.allocatable = this.allocatable.map(larger);
    this.requested = this.requested.map(larger);
    this.nonZeroMilliCpu = larger(this.nonZeroMilliCpu);
    this.nonZeroMemory = larger(this.nonZeroMemory);
    for (const column of this.#labels.values()) column.grow(capacity);
    for (const column of this.#derived.values()) {
      const values = new Int32Array(capacity);
      values.set(column.values);
      column.values = values;
    }
  }

  #dropOldDerived(): void {
    const byUse = [...this.#derived].sort((a, b) => a[1].usedAt - b[1].usedAt);
    for (const [key] of byUse.slice(0, byUse.length / 2)) this.#derived.delete(key);
  }
}

function nodeChanges(old: Node, node: Node): number {
  let changes = 0;
  if (differs(old.metadata.labels, node.metadata.labels)) changes |= NodeChange.Labels;
  if (differs(old.metadata.annotations, node.metadata.annotations)) changes |= NodeChange.Annotations;
  if (Boolean(old.spec?.unschedulable) !== Boolean(node.spec?.unschedulable) || differs(old.spec?.taints, node.spec?.taints)) {
    changes |= NodeChange.Taints;
  }
  if (differs(old.status?.allocatable, node.status?.allocatable)) changes |= NodeChange.Allocatable;
  if (differs(old.status?.images, node.status?.images)) changes |= NodeChange.Images;
  if (differs(old.status?.conditions?.map(conditionState), node.status?.conditions?.map(conditionState))) changes |= NodeChange.Conditions;
  return changes;
}

/** Heartbeats renew timestamps: only type and status make a change. */
function conditionState(condition: { type: string; status: string }): string {
  return `${condition.type}=${condition.status}`;
}

function differs(left: unknown, right: unknown): boolean {
  return left !== right && JSON.stringify(left ?? null) !== JSON.stringify(right ?? null);
}
