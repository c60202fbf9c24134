/** The comment and the annotations of a node: one attribute each (docs/format.md, section 2). */
import { elementType } from '../hdf5/element-type.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { ANNOTATION_PREFIX, SRVC } from '../names.ts'
import type { RawField, RawNumbers, RawTexts, RawValue } from '../values/raw-value.ts'
import { longestUtf8Bytes } from '../values/utf8.ts'

/** The attributes of a node. */
export function nodeAttributes(
  path: string,
  { comment, annotations }: { readonly comment: string; readonly annotations: readonly RawField[] },
): Hdf5Operation[] {
  return [
    ...(comment === ''
      ? []
      : [{ type: 'create-attribute', path, name: SRVC.comment, value: comment } as const]),
    ...annotationOperations(path, annotations),
  ]
}

export function annotationOperations(path: string, annotations: readonly RawField[]): Hdf5Operation[] {
  if (annotations.length === 0) return []
  return [
    { type: 'create-attribute', path, name: SRVC.annotated, value: true },
    ...annotations.map(({ name, value }) => annotation(path, `${ANNOTATION_PREFIX}${name}`, value)),
  ]
}

function annotation(path: string, name: string, value: RawValue): Hdf5Operation {
  if (value.form === 'date')
    return { type: 'create-attribute', path, name, value: new Date(value.time).toISOString() }
  if (value.form !== 'scalar' && value.form !== 'list' && value.form !== 'ndarray') {
    throw new Error(`${path}: an annotation cannot hold a ${value.form}`)
  }
  if (value.form === 'scalar') {
    if ('texts' in value) return { type: 'create-attribute', path, name, value: value.texts[0] ?? '' }
    if (value.dtype === 'bool') return { type: 'create-attribute', path, name, value: value.bytes[0] !== 0 }
  }
  return 'texts' in value ? textsAttribute(path, name, value) : numbersAttribute(path, name, value)
}

function numbersAttribute(path: string, name: string, { dtype, shape, bytes }: RawNumbers): Hdf5Operation {
  return { type: 'create-raw-attribute', path, name, elementType: elementType(dtype), shape, bytes }
}

const encoder = new TextEncoder()

function textsAttribute(path: string, name: string, { shape, texts }: RawTexts): Hdf5Operation {
  const size = Math.max(1, longestUtf8Bytes(texts))
  const bytes = new Uint8Array(size * texts.length)
  for (const [index, text] of texts.entries()) encoder.encodeInto(text, bytes.subarray(index * size))
  const type = { kind: 'string', bytes: size, charset: 'utf8' } as const
  return { type: 'create-raw-attribute', path, name, elementType: type, shape, bytes }
}
