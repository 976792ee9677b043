// The data of the page: what graphprobe/drawing/pages/html_data.py writes, and what the scripts make of it.

export type Point = [x: number, y: number];

/** A node by the number of its group and its own number there. */
export type NodeId = [group: number, node: number];

/** The names of variables by slot. */
export type Slots<Name> = Record<string, Name[]>;

/** What a variable is; without dtype it is float32 and no parameter. */
export type Variable = [shape: string] | [shape: string, dtype: string, kept: string];

/** Between two nodes: a column for each row that it passes; null for one that passes many. */
export type Wire = [from: number, to: number, ways: number[] | null];

/** What is the same in the file and in the scripts. */
interface NodeBase {
  /** Number, such as 3.1. */
  n: string;
  /** Title that fits the box. */
  t: string;
  /** Size, and the middle that it wishes for. */
  w: number;
  h: number;
  x: number;
  /** Ops by number; of a node that opens, the first ones. */
  ops: number[];
}

/** What a node has only where it is not usual. */
interface NodeMore {
  /** Lines of text. */
  l: string[];
  /** Words with a coloured square: their place in the box and the row of words. */
  c: [text: string, colour: string, x: number, row: number][];
  /** The band at the left edge. */
  b: [colour: string, share: number][];
  /** Pairs, such as P1. */
  p: string[];
  /** Kind: conv, op, input, ... and what became of it. */
  k: string;
  /** Row. */
  r: number;
  /** The group that it opens into, or -1. */
  child: number;
  /** Numbers that nodes can be coloured by; null where one is not known. */
  v: (number | null)[];
  /** The whole title. */
  full: string;
  /** How many ops it holds. */
  count: number;
}

export type NodeData = NodeBase & Partial<NodeMore>;
export type Node = NodeBase & NodeMore;

interface GroupBase<N> {
  title: string;
  /** 0, or 1 for the teacher and for what is after. */
  side: number;
  nodes: N[];
  wires: Wire[];
  rows: number[][];
}

export type GroupData = GroupBase<NodeData>;
export type Group = GroupBase<Node>;

export interface OpData {
  /** Side, where it is not 0. */
  s?: number;
  /** Type. */
  t: string;
  /** Inputs and outputs, names by number. */
  i: Slots<number>;
  o: Slots<number>;
  /** Attributes by number. */
  a?: number;
  /** What became of it between two versions. */
  d?: Change;
}

export interface Op {
  s: number;
  t: string;
  i: Slots<string>;
  o: Slots<string>;
  a: Record<string, string>;
  d?: Change;
}

export type Change = [kind: string, words: string[]];

/** What is known of a convolution. */
export interface Decision {
  word: string;
  status: string;
  reason: string | null;
  at: string | null;
  /** Variables from the convolution to what stops it. */
  path: string[];
  detail: string;
}

interface SideBase<V> {
  role: string;
  name: string;
  counts: string;
  vars: Record<string, V>;
  /** By filter. */
  convs: Record<string, Decision>;
}

export type SideData = SideBase<Variable>;
export type Side = SideBase<[shape: string, dtype: string, kept: string]>;

export interface Pair {
  student: string;
  teacher: string;
  role: string;
  part: string | null;
  loss: string;
  shapes: string;
  why: string;
  evidence: string[];
}

interface DocumentBase {
  title: string;
  notes: string[];
  /** The outermost groups of each side. */
  roots: number[][];
  /** Ops that are one op in two versions. */
  partners: [before: number, after: number][];
  pairs: Pair[];
  colours: [key: string, title: string][];
  /** 17 colours from nothing to the most. */
  scale: string[];
  unknown: string;
  /** The key to colour by from the start, or status. */
  colourBy: string;
  legend: [word: string, colour: string, meaning: string][];
}

/** As it is in the file: what many share stands once, what is usual is left out. */
export interface PageDocument extends DocumentBase {
  sides: SideData[];
  groups: GroupData[];
  ops: OpData[];
  names: string[];
  attrs: Record<string, string>[];
}

/** As the scripts use it. */
export interface Page extends DocumentBase {
  sides: Side[];
  groups: Group[];
  ops: Op[];
}

/** Where the nodes of a group are, from its own corner. */
export interface Place {
  x: number[];
  y: number[];
  size: [w: number, h: number][];
  /** Upper and lower edges of the rows. */
  tops: number[];
  bottoms: number[];
  /** What was taken off every wished-for column. */
  left: number;
  w: number;
  h: number;
}

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** A name that search finds. */
export interface Hit {
  name: string;
  what: "op" | "parameter" | "variable";
  side: number;
  op: number;
}

/** One program on the screen: scale and corner of what is shown, and the size of the pane. */
export interface Pane {
  svg: SVGSVGElement;
  world: SVGGElement;
  side: number;
  view: { x: number; y: number; k: number };
  /** The nodes that are painted, and whether their words are hidden. */
  nodes: { element: Element; box: Box; away: boolean }[];
  w: number;
  h: number;
}
