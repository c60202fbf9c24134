/** Pickles that numpy made of arrays of Python objects: data is read, and nothing else. */
import { describe, expect, test } from 'vitest'
import { pickledElements } from '../../src/reading/pickled-elements.ts'

const WHOLE =
  'gASVlgAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwKFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlChHP/gAAAAAAACMAXiUZXSUYi4='
const of = (base64: string) => pickledElements(Buffer.from(base64, 'base64'))

describe('elements that are data are read', () => {
  test.each([
    [
      'floats and integers',
      [1.5, -2n, 1_099_511_627_776n, Number.POSITIVE_INFINITY],
      'gASVqAAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwSFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlChHP/gAAAAAAABK/v///4oGAAAAAAABR3/wAAAAAAAAZXSUYi4=',
    ],
    [
      'texts, one of them twice',
      ['ä', 'b', 'ä'],
      'gAWVlAAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwOFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlCiMAsOklIwBYpRoE2V0lGIu',
    ],
    [
      'truth values and nothing',
      [true, false, null],
      'gASVjAAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwOFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlCiIiU5ldJRiLg==',
    ],
    [
      "numpy's numbers",
      [2.5, -3n, true],
      'gAWVLgEAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwOFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlChoAIwGc2NhbGFylJOUaAyMAmY4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGJDCAAAAAAAAARAlIaUUpRoFGgMjAJpOJSJiIeUUpQoSwNoGE5OTkr/////Sv////9LAHSUYkMI/f////////+UhpRSlGgUaAyMAmIxlImIh5RSlChLA2gQTk5OSv////9K/////0sAdJRiQwEBlIaUUpRldJRiLg==',
    ],
    [
      'protocol 3',
      [1.5, 'x'],
      'gANjbnVtcHkuY29yZS5tdWx0aWFycmF5Cl9yZWNvbnN0cnVjdApxAGNudW1weQpuZGFycmF5CnEBSwCFcQJDAWJxA4dxBFJxBShLAUsChXEGY251bXB5CmR0eXBlCnEHWAIAAABPOHEIiYiHcQlScQooSwNYAQAAAHxxC05OTkr/////Sv////9LP3RxDGKJXXENKEc/+AAAAAAAAFgBAAAAeHEOZXRxD2Iu',
    ],
    [
      'two axes, in C order',
      [1n, 2n, 3n, 4n],
      'gAWVkwAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwJLAoaUaAOMBWR0eXBllJOUjAJPOJSJiIeUUpQoSwOMAXyUTk5OSv////9K/////0s/dJRiiF2UKEsBSwJLA0sEZXSUYi4=',
    ],
    [
      'nothing at all',
      [],
      'gASVhwAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwCFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlHSUYi4=',
    ],
  ])('%s', (_, elements, pickle) => {
    expect(of(pickle)).toEqual(elements)
  })
})

describe('everything else is not', () => {
  test.each([
    [
      'a call',
      'gASVpgAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwGFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlIwFcG9zaXiUjAZzeXN0ZW2Uk5SMBHRydWWUhZRSlGF0lGIu',
    ],
    [
      'a list among the elements',
      'gASVjQAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwGFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlF2USwFhYXSUYi4=',
    ],
    [
      'an array of numbers',
      'gASVkAAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwGFlGgDjAVkdHlwZZSTlIwCZjiUiYiHlFKUKEsDjAE8lE5OTkr/////Sv////9LAHSUYolDCAAAAAAAAPg/lHSUYi4=',
    ],
    [
      'a dict',
      'gASVkQAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwGFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlH2UjAFhlEsBc2F0lGIu',
    ],
    [
      'a time',
      'gASV2wAAAAAAAACMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwGFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlGgAjAZzY2FsYXKUk5RoDIwCTTiUiYiHlFKUKEsEjAE8lE5OTkr/////Sv////9LAH2UKEMBRJRLAUsBSwF0lIaUdJRiQwhWRwAAAAAAAJSGlFKUYXSUYi4=',
    ],
  ])('%s', (_, pickle) => {
    expect(of(pickle)).toBeUndefined()
  })

  test('what is cut, and what is no pickle', () => {
    const whole = Buffer.from(WHOLE, 'base64')
    expect(pickledElements(whole)).toEqual([1.5, 'x'])
    for (let end = 0; end < whole.length; end += 1)
      expect(pickledElements(whole.subarray(0, end))).toBeUndefined()
    expect(pickledElements(Uint8Array.of(0x28, 0x2e))).toBeUndefined()
  })
})
