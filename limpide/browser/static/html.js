// Preact without a build: tagged templates.
import { h, render, Component } from "preact";
import htm from "htm";
export { useEffect, useLayoutEffect, useRef, useState, useMemo, useCallback } from "preact/hooks";
export { h, render, Component };
export const html = htm.bind(h);
