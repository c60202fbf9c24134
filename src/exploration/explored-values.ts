/** The type of an exploration: names and value types, from ranges and from declared trees. */
import type { FlatParameterValues, ParameterValues, UnionToIntersection, Widen } from '../run/parameter.ts'
import type { TypedArray } from '../values/typed-array.ts'
import type { ParameterValue } from '../values/value.ts'
import type { Integer, NdArray } from '../values/value-forms.ts'
import type { GeneratedRange } from './range.ts'

type BigintArray = BigInt64Array | BigUint64Array
type NumberArray = Exclude<TypedArray, BigintArray>

/** Anything that a builder accepts as the values of one parameter. */
export type RangeInput = readonly ParameterValue[] | TypedArray | GeneratedRange

/** Ranges by name. A plain object is a group, as for parameters. */
export interface RangeTree {
  readonly [name: string]: RangeInput | RangeTree
}

/** What a parameter of this type can be explored with. */
type RangeOf<Value> =
  | readonly Value[]
  | (Value extends number ? readonly Integer[] | NumberArray | GeneratedRange : never)
  | (Value extends bigint ? BigintArray : never)

/** The flat values of a tree of ranges: `{ neuron: { tau: [1] } }` gives `{ 'neuron.tau': number }`. */
export type ExploredValues<Ranges> = StripBranch<FlatRangeValues<Ranges>>

/**
 * A plain mapping, which is a zip: all ranges have the same length. Only declared names are allowed, nested or dotted,
 * with values of their types.
 */
export type RangeMapping<Tree> = DottedRanges<FlatParameterValues<Tree>> & NestedRanges<ParameterValues<Tree>>

type DottedRanges<Values> = { readonly [Name in keyof Values]?: RangeOf<Values[Name]> } & {
  readonly [Name in keyof Values & string as `parameters.${Name}`]?: RangeOf<Values[Name]>
}

type NestedRanges<Values> = {
  readonly [Name in keyof Values]?: Values[Name] extends ParameterValue
    ? RangeOf<Values[Name]>
    : NestedRanges<Values[Name]>
}

type FlatRangeValues<Ranges> = UnionToIntersection<
  {
    [Name in keyof Ranges & string]: Ranges[Name] extends RangeInput
      ? { [Key in Name]: RangeValue<Ranges[Name]> }
      : {
          [Inner in keyof FlatRangeValues<Ranges[Name]> & string as `${Name}.${Inner}`]: FlatRangeValues<
            Ranges[Name]
          >[Inner]
        }
  }[keyof Ranges & string]
>

type RangeValue<Input> = Input extends GeneratedRange | NumberArray
  ? number
  : Input extends BigintArray
    ? bigint
    : Input extends readonly (infer Value)[]
      ? ElementValue<Value>
      : never

/** Any size of an array is allowed. */
type ElementValue<Value> = Value extends NdArray ? Omit<Value, 'shape'> & { shape: number[] } : Widen<Value>

export type StripBranch<Values> = {
  [Name in keyof Values as Name extends `parameters.${infer Rest}` ? Rest : Name]: Values[Name]
}
