// First: what comes after it asks for its colours.
import "./app.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { followTranslators } from "./frame/translation.ts";

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
mount(App, { target });
followTranslators(target);
