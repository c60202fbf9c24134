/** The frame of a picture with two axes. */
import { type Axis, ticksOf } from './axis.ts'
import type { Palette } from './colours.ts'
import type { Pen } from './pen.ts'
import type { Point, Size } from './plot.ts'

export interface Frame {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const LEFT_PX = 64
const TOP_PX = 14
const BOTTOM_PX = 58
const RIGHT_PX = 20

/** @param right room for a scale of colours */
export function frameIn({ width, height }: Size, right = RIGHT_PX): Frame {
  return {
    left: LEFT_PX,
    top: TOP_PX,
    width: Math.max(1, width - LEFT_PX - right),
    height: Math.max(1, height - TOP_PX - BOTTOM_PX),
  }
}

export function xIn({ left, width }: Frame, place: number): number {
  return left + place * width
}

export function yIn({ top, height }: Frame, place: number): number {
  return top + (1 - place) * height
}

/** From 0 to 1 in both directions. Points outside are moved to the edge. */
export function placesAt({ left, top, width, height }: Frame, { x, y }: Point): Point {
  const clamp = (part: number) => Math.min(1, Math.max(0, part))
  return { x: clamp((x - left) / width), y: clamp(1 - (y - top) / height) }
}

export function isIn({ left, top, width, height }: Frame, { x, y }: Point): boolean {
  return x >= left - 4 && x <= left + width + 4 && y >= top - 4 && y <= top + height + 4
}

export function drawFrame(pen: Pen, frame: Frame, x: Axis, y: Axis | undefined, palette: Palette): void {
  const { left, top, width, height } = frame
  const bottom = top + height
  pen.line([left, top, left, bottom, left + width, bottom], { colour: palette.line })
  for (const { place, label } of ticksOf(x, width / 70)) {
    const at = xIn(frame, place)
    pen.line([at, bottom, at, bottom + 4], { colour: palette.soft })
    pen.text(label, at, bottom + 12, { colour: palette.soft, align: 'middle', widthMax: 90 })
  }
  pen.text(x.title, left + width / 2, bottom + 28, { colour: palette.ink, align: 'middle', isBold: true })
  if (y === undefined) return
  for (const { place, label } of ticksOf(y, height / 32)) {
    const at = yIn(frame, place)
    pen.line([left - 4, at, left, at], { colour: palette.soft })
    pen.text(label, left - 7, at, { colour: palette.soft, align: 'end', widthMax: LEFT_PX - 20 })
  }
  pen.text(y.title, 8, top + height / 2, {
    colour: palette.ink,
    align: 'middle',
    isBold: true,
    isUpright: true,
    widthMax: height,
  })
}

/** Runs without a place in the picture: a line of text below it. */
export function drawAbsent(pen: Pen, { left, top, height }: Frame, text: string, palette: Palette): void {
  if (text !== '') pen.text(text, left, top + height + 46, { colour: palette.soft })
}
