// Before anything is shown: picture and table give way to the page, and come back if it fails.

document.documentElement.classList.add("live");
const stay = () => document.documentElement.classList.remove("live");
addEventListener("error", stay);
addEventListener("unhandledrejection", stay);
